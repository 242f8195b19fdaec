#include "worker/serving.hpp"

#include <unistd.h>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "os/cpus.hpp"
#include "stack/capture.hpp"

namespace serval::worker {

using namespace std::chrono_literals;

namespace {

/// Heartbeats per heartbeat_timeout.
constexpr int kBeats = 4;
/// Upper bound on the interval, so that status never shows a stale beat, and silence is noticed.
constexpr auto kMaxBeatInterval = kSilentAfter / 3;

}  // namespace

Serving::Serving(boost::asio::io_context& io, Setting setting)
    : setting_(std::move(setting)),
      config_(setting_.heritage.config),
      io_(io),
      board_(setting_.scoreboard, setting_.seat),
      own_fds_([this](const std::string& which) { on_own_fd_lost(which); }),
      tracing_(setting_.heritage, board_,
               {.known_as = setting_.known_as, .pid = ::getpid(), .generation = setting_.heritage.generation}),
      stacks_(io),
      stack_reports_(io, stacks_, setting_.tell_master),
      profiler_(io, setting_.scoreboard, setting_.seat, setting_.tell_master),
      pool_(io, config_.workers.threads, config_.workers.queue, pool_hooks()),
      fleet_(setting_.scoreboard, setting_.seat, config_.workers.threads,
             setting_.heritage.cpus > 0 ? setting_.heritage.cpus : os::usable_cpus().usable),
      shedding_(board_, fleet_, [this] { return static_cast<int>(connections()); }),
      side_changes_(fleet_, setting_.seat),
      gate_(io, gate_hooks()),
      overdue_(io, TimeoutReports(stacks_, setting_.tell_master), [this] { handler_.refuse_waiting(); }),
      handler_({.config = config_,
                .context = {.app = setting_.app,
                            .board = board_,
                            .timeout = config_.request.timeout,
                            .redactor = http::Redactor(config_.log.redact),
                            .tracing = tracing_.on() ? &tracing_ : nullptr,
                            .timed = config_.log.slow > Duration::zero() || tracing_.on()},
                .pool = pool_,
                .gate = gate_,
                .overdue = overdue_,
                .on_change = [this] { on_pool_changed(); }}),
      readiness_(readiness_parts()),
      probes_(
          config_.health, [this] { return server_readiness(); }, handler_),
      accounting_(io, board_, accounting_setting()),
      lobby_(io, setting_.heritage.lobby_entry_fd, farewell_, shedding_, side_changes_, lobby_hooks()),
      hub_(io, setting_.engine,
           {.farewell = farewell_, .handler = first_handler(), .observer = accounting_, .migration = lobby_}),
      descriptors_(io, hub_, [this](const std::string& why) { setting_.on_unfit(why, true); }),
      rebalancer_(io, pool_, fleet_, lobby_, [this] { on_pool_changed(); }),
      intake_(
          {.hub = hub_,
           .pool = pool_,
           .fleet = fleet_,
           .descriptors = descriptors_,
           .accounting = accounting_,
           .declines = [this] { return handler_.all_stuck() || (readiness_.declines() && fleet_.another_is_ready()); }},
          setting_.heritage, own_fds_),
      drain_(drain_parts()),
      memory_(::getpid()),
      beats_(io) {}

/// Where nothing is probed, requests go straight to the app's.
server::Handler& Serving::first_handler() {
  if (config_.health.probed()) return probes_;
  return handler_;
}

AppReadiness::Parts Serving::readiness_parts() {
  return {.io = io_,
          .app = setting_.app,
          .pool = pool_,
          .board = board_,
          .config = config_,
          .may_ask = [this] { return !gate_.holds() && !farewell_.draining.load(std::memory_order_relaxed); },
          .on_asked = [this] { on_pool_changed(); },
          .is_known = [this](bool there) { return scoreboard::others_see(setting_.scoreboard, board_.slot(), there); }};
}

Readiness Serving::server_readiness() {
  Readiness server = scoreboard::readiness(setting_.scoreboard, Clock::now());
  server.drain_file = readiness_.drain_file();
  server.needed = config_.health.ready_workers;
  return server;
}

HandlerPool::Hooks Serving::pool_hooks() {
  return {.thread_starts = stack::enlist_thread,
          .has_loop = [this] { beat(); },
          .on_load =
              [this](bool overloaded) {
                shedding_.on_load(overloaded, !farewell_.draining.load(std::memory_order_relaxed) && lobby_.possible());
              },
          .look_around = [this](bool surely) { surely ? own_fds_.look() : own_fds_.look_now_and_then(); },
          .on_queue = [this] { board_.set_waiting(pool_.waiting() + gate_.held()); }};
}

PauseGate::Hooks Serving::gate_hooks() {
  return {.nothing_in_progress = [this] { return nothing_in_progress(); },
          .has_room = [this] { return pool_.has_room(); },
          .on_held =
              [this] {
                pool_.look_at_queue();
                if (gate_.holds() && gate_.held() >= descriptors_.max_held()) intake_.hold();
              }};
}

Accounting::Setting Serving::accounting_setting() {
  return {.known_as = setting_.known_as,
          .pid = ::getpid(),
          .access_fd = setting_.heritage.access_fd,
          .access_format = setting_.access_format,
          .max_requests = static_cast<std::uint64_t>(setting_.max_requests),
          .redactor = http::Redactor(config_.log.redact),
          .slow = config_.log.slow,
          .log_probes = config_.health.log,
          .tracing = tracing_.on() ? &tracing_ : nullptr,
          .on_spent = [this] { setting_.tell_master(ipc::WantsReplacement{}); },
          .on_connection_over =
              [this] {
                descriptors_.on_closed();
                drain_.check();
              },
          .on_client_gone = [this] { own_fds_.look_at_loop(); }};
}

placement::LobbySender::Hooks Serving::lobby_hooks() {
  return {.on_empty = [this] { drain_.on_none_waits(); }, .on_give_up = [this] { on_lobby_abandoned(); }};
}

Drain::Parts Serving::drain_parts() {
  return {.io = io_,
          .hub = hub_,
          .intake = intake_,
          .lobby = lobby_,
          .pool = pool_,
          .overdue = overdue_,
          .grace = config_.shutdown.grace,
          .tell_master = [this](const ipc::FromWorker& message) { setting_.tell_master(message); },
          .flush =
              [this] {
                readiness_.stop();
                stacks_.flush();
                accounting_.finish();
                descriptors_.finish();
                intake_.finish();
              },
          .leave = [this] { pool_.stop(); }};
}

/// By whichever thread has looked.
void Serving::on_own_fd_lost(const std::string& which) {
  const bool can_tell = which != OwnFds::kChannel;
  boost::asio::post(io_, [this, which, can_tell] {
    setting_.on_unfit("the app has touched a descriptor of serval's: " + which, can_tell);
  });
}

/// The pool has a request less, or one waits in it.
void Serving::on_pool_changed() {
  gate_.on_change();
  if (!gate_.holds() && lobby_.possible()) rebalancer_.watch();
  drain_.check();
}

void Serving::on_lobby_abandoned() {
  log::warning("no worker takes over connections; each is closed after its next response",
               {{"connections", connections()}});
  drain_.say_goodbye();
}

/// An answer that a thread has ready may still be on its way to the loop. Requests that the gate holds have not been
/// begun.
bool Serving::nothing_in_progress() {
  if (pool_.running() > 0 || pool_.waiting() > 0) return false;
  const auto pending =
      std::count_if(hub_.connections().begin(), hub_.connections().end(),
                    [](const server::Connection& connection) { return connection.waits_for_answer(); });
  return pending == gate_.held();
}

/// Also one whose answer a client is slow to read.
bool Serving::any_request() {
  return std::ranges::any_of(hub_.connections(), [](const auto& connection) { return connection.has_request(); });
}

void Serving::beat() { board_.beat(Clock::now(), ::gettid()); }

void Serving::start_beating() {
  beat();
  own_fds_.look();
  accounting_.count_dropped_lines();
  memory_.look(board_.requests(), pool_.running() > 0 || any_request());
  const Duration silence = config_.workers.heartbeat_timeout;
  beats_.expires_after(silence > Duration::zero() ? std::min<Duration>(silence / kBeats, kMaxBeatInterval)
                                                  : kMaxBeatInterval);
  beats_.async_wait([this](const boost::system::error_code& error) {
    if (!error) start_beating();
  });
}

void Serving::watch_own_fds(const ipc::Channel& channel, const std::vector<int>& loop_fds) {
  const ipc::Heritage& heritage = setting_.heritage;
  os::FdWatch& watch = own_fds_.watch;
  watch.add(channel.in_fd(), OwnFds::kChannel);
  watch.add(channel.out_fd(), OwnFds::kChannel);
  watch.add(heritage.scoreboard_fd, "scoreboard");
  watch.add(heritage.log_fd, "log");
  watch.add(heritage.access_fd, "access log");
  watch.add(heritage.lobby_entry_fd, "lobby");
  watch.add(heritage.lobby_exit_fd, "lobby");
  watch.add(heritage.spans_fd, "spans");
  for (const ipc::Listener& listener : heritage.listeners) watch.add(listener.fd, "listener " + listener.address);
  for (const int fd : loop_fds) own_fds_.loop.add(fd, OwnFds::kEventLoop);
}

void Serving::reopen_logs(std::vector<UniqueFd> files) {
  own_fds_.watch.change([&] {
    auto file = files.begin();
    if (config::names_file(config_.log.file) && file != files.end()) log::reopen((file++)->get());
    if (config::names_file(config_.log.access) && file != files.end()) accounting_.reopen_access(file->get());
  });
}

/// Connections wait in the listeners' queues. Where probes may come with them, only once half of the descriptors are
/// taken by requests that are held.
void Serving::pause(std::function<void()> quiet) {
  if (!config_.health.probed()) intake_.hold();
  gate_.hold(std::move(quiet));
}

void Serving::resume() {
  intake_.release();
  gate_.admit();
}

}  // namespace serval::worker
