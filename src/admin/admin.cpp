#include "admin/admin.hpp"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "admin/app_metrics.hpp"
#include "admin/front.hpp"
#include "admin/master_link.hpp"
#include "admin/pages.hpp"
#include "admin/span_export.hpp"
#include "admin/statsd_push.hpp"
#include "admin/utilization.hpp"
#include "admin/visitor.hpp"
#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "config/telemetry.hpp"
#include "http/request_id.hpp"
#include "ipc/heritage.hpp"
#include "os/fd_table.hpp"
#include "os/oom.hpp"
#include "os/privileges.hpp"
#include "os/process_title.hpp"
#include "os/signals.hpp"
#include "scoreboard/memory.hpp"
#include "scoreboard/reader.hpp"

namespace serval::admin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// That of a mold: it can be had again.
constexpr int kOomScore = 100;
/// For answers that are on their way when the master has gone.
constexpr auto kLastAnswers = 1s;

server::Settings engine_settings() {
  server::Settings settings;
  settings.limits = {.max_header = 16 * 1024, .max_headers = 64, .max_target = 2048, .max_body = 4096};
  settings.timeouts = {.header = 5s, .body = 5s, .write = 10s, .keep_alive = 75s};
  return settings;
}

/// The parts, and what each hears from which other.
class Process {
 public:
  Process(const ipc::Heritage& heritage, scoreboard::Memory scoreboard)
      : heritage_(heritage),
        scoreboard_(std::move(scoreboard)),
        master_(io_, ipc::Channel(ipc::Channel::End::app, UniqueFd(heritage.orders_fd), UniqueFd(heritage.reports_fd)),
                {.on_reopen = [](const UniqueFd& log) { log::reopen(log.get()); }, .on_closed = [this] { leave(); }}),
        app_metrics_(heritage.app_metrics_fd),
        pages_({.name = heritage.config.server.name,
                .for_this_machine = is_for_this_machine(heritage.config.admin.bind),
                .master = master_,
                .scoreboard = scoreboard_,
                .app_metrics = app_metrics_,
                .utilization = utilization_,
                .spans = spans_}),
        observer_([this] { front_.on_room(); }),
        hub_(io_, engine_settings(),
             {.farewell = farewell_, .handler = pages_, .observer = observer_, .migration = migration_}),
        front_(io_, hub_),
        life_(io_, heritage.life_fd),
        looks_(io_),
        end_(io_) {}

  void run() {
    front_.start(heritage_.listeners);
    export_spans();
    if (const config::Admin& admin = heritage_.config.admin; !admin.statsd.empty())
      statsd_.emplace(io_, master_, scoreboard_, admin);
    life_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const auto&) { leave(); });
    look();
    io_.run();
  }

 private:
  class Observer final : public server::Observer {
   public:
    explicit Observer(std::function<void()> on_gone) : on_gone_(std::move(on_gone)) {}
    void on_connection_over() override { on_gone_(); }

   private:
    const std::function<void()> on_gone_;
  };

  void export_spans() {
    if (heritage_.spans_fd < 0) return;
    config::Telemetry telemetry = config::telemetry_from(config::process_environment());
    if (!telemetry.traces) return;
    TraceResource resource{.service = telemetry.service.empty() ? heritage_.config.server.name : telemetry.service,
                           .version = SERVAL_VERSION,
                           .attributes = telemetry.attributes};
    spans_.emplace(io_, heritage_.spans_fd, std::move(telemetry), std::move(resource));
  }

  /// What the threads do, now and then.
  void look() {
    int busy = 0;
    int threads = 0;
    for (int slot = scoreboard_.next_used(0); slot >= 0; slot = scoreboard_.next_used(slot + 1)) {
      const scoreboard::SlotReading reading = scoreboard::read_slot(scoreboard_, slot);
      if (reading.phase != scoreboard::WorkerPhase::serving) continue;
      busy += reading.running;
      threads += heritage_.config.workers.threads;
    }
    utilization_.add(Clock::now(), busy, threads);
    looks_.expires_after(Utilization::kInterval);
    looks_.async_wait([this](const auto& error) {
      if (!error) look();
    });
  }

  /// The listener stays with the master, or with its successor, whose own process of this kind goes on.
  void leave() {
    if (farewell_.goodbye.exchange(true)) return;
    farewell_.draining = true;
    front_.stop();
    hub_.say_farewell();
    wait_for_last_answers(Clock::now() + kLastAnswers);
  }

  void wait_for_last_answers(TimePoint until) {
    if (hub_.connections().empty() || Clock::now() > until) return io_.stop();
    end_.expires_after(10ms);
    end_.async_wait([this, until](const auto&) { wait_for_last_answers(until); });
  }

  asio::io_context io_{1};
  const ipc::Heritage& heritage_;
  scoreboard::Memory scoreboard_;
  Utilization utilization_;
  std::optional<SpanExport> spans_;
  MasterLink master_;
  std::optional<StatsdPush> statsd_;
  AppMetrics app_metrics_;
  Pages pages_;
  Observer observer_;
  server::Migration migration_;
  http::Farewell farewell_;
  server::Hub hub_;
  Front front_;
  asio::posix::stream_descriptor life_;
  asio::steady_timer looks_;
  asio::steady_timer end_;
};

}  // namespace

int run(int heritage_fd) {
  os::react_as(os::Process::mold);  // as for a mold, the master's end is what ends it
  const auto heritage = ipc::read_heritage(heritage_fd);
  if (!heritage) {
    std::fprintf(stderr, "serval: admin: %s\n", heritage.error().c_str());
    return exit_code::internal;
  }
  ::close(heritage_fd);
  log::start(ipc::log_settings(heritage->config.log, heritage->log_fd), "admin");
  os::set_title("serval: admin " + heritage->config.server.name);
  os::raise_oom_score(kOomScore);
  auto scoreboard = scoreboard::Memory::map(heritage->scoreboard_fd);
  const auto fail = [](const std::string& why) {
    log::error("the admin process cannot start", {{"why", why}});
    return exit_code::internal;
  };
  if (!scoreboard) return fail(scoreboard.error());
  const config::Server& server = heritage->config.server;
  if (const auto done = os::become_account(server.user, server.group); !done) return fail(done.error());
  http::reseed_request_ids();
  Process(*heritage, std::move(*scoreboard)).run();
  log::finish();
  return exit_code::ok;
}

}  // namespace serval::admin
