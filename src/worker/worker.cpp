#include "worker/worker.hpp"

#include <signal.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "base/overloaded.hpp"
#include "http/request_id.hpp"
#include "ipc/messages.hpp"
#include "os/death_with_parent.hpp"
#include "os/fd_table.hpp"
#include "os/oom.hpp"
#include "os/own_fds.hpp"
#include "stack/capture.hpp"
#include "worker/crash_report.hpp"
#include "worker/serving.hpp"
#include "worker/understood.hpp"
#include "worker/voice.hpp"

namespace serval::worker {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// How often a booting app is asked whether it is ready.
constexpr auto kAskReady = 20ms;
/// The workers in these slots log that they drain; those of higher ones do so at debug level.
constexpr int kSlotsThatSayIt = 10;
/// For connections: more of them than a worker usually has, and 32 KiB of the kernel's memory.
constexpr int kReservedFds = 4096;
/// For what the master has had no room for.
constexpr auto kLastWords = 1s;
/// Beyond the mold's: the kernel ends workers first (oom_score_adj, proc(5)).
constexpr int kOomScore = 100;

/// One worker process from its first line to its last. Everything happens on the loop (whichever thread has it), after
/// boot() on the main thread.
class Worker {
 public:
  /// `loop_fds`: that the event loop has opened, once the worker is made.
  Worker(Boot boot, Understood understood, const std::vector<int>& loop_fds)
      : boot_(std::move(boot)),
        loop_fds_(loop_fds),
        config_(boot_.heritage.config),
        serving_(io_, {.heritage = boot_.heritage,
                       .app = boot_.app,
                       .scoreboard = boot_.scoreboard,
                       .seat = boot_.slot,
                       .known_as = boot_.known_as,
                       .max_requests = boot_.max_requests,
                       .engine = std::move(understood.engine),
                       .access_format = std::move(understood.access_format),
                       .tell_master = [this](const ipc::FromWorker& message) { return say(message); },
                       .on_unfit = [this](const std::string& why, bool can_tell) { leave_for(why, can_tell); }}),
        signals_(std::make_unique<asio::signal_set>(io_, SIGTERM, SIGINT, SIGXCPU)),
        channel_(io_, boot_.channel.in_fd()),
        voice_(io_, boot_.channel, {.seat = boot_.slot, .generation = boot_.heritage.generation}),
        paused_(boot_.pause != 0) {}

  ~Worker() {
    channel_.release();  // its descriptor is the channel's
    // Its destructor would give the signals their default action back: a second TERM of a group would end this process
    // before it has left.
    [[maybe_unused]] const auto* handlers = signals_.release();
  }

  int run() {
    speak_before_dying();
    os::raise_oom_score(kOomScore);
    http::reseed_request_ids();
    os::reserve_fds(kReservedFds);
    serving_.board().begin(boot_.heritage.generation, ::getpid(), Clock::now());
    WorkerState state = boot();
    if (state == WorkerState::ready) {
      if (const auto started = serving_.pool().start(); !started) state = fail_boot(started.error());
    }
    if (state == WorkerState::failed) return told_why_ ? exit_code::app_failed : exit_code::unfit;
    if (state == WorkerState::ready) serve();
    voice_.finish(kLastWords);
    boot_.app.worker_stop();
    log::finish();
    return serving_.drain().exit_code();
  }

 private:
  enum class WorkerState { ready, failed, unwanted };

  WorkerState boot();
  WorkerState fail_boot(const std::string& why);
  void serve();
  bool say(const ipc::FromWorker& message) { return voice_.say(message); }
  void speak_before_dying();
  void watch_signals();
  void watch_channel();
  void on_message(ipc::Channel::Received received);
  void reopen(std::vector<UniqueFd> files);
  void pause(std::uint32_t number);
  void resume();
  /// Which workers take over what we have and what waits for us.
  enum class Heirs {
    come,    ///< they have the listeners: what waits there is theirs already
    likely,  ///< the master starts some, unless it stops, too; then it says so
    none,
  };
  void drain(std::string_view why, Heirs heirs);
  void leave_for(const std::string& why, bool can_tell_master);

  Boot boot_;
  const std::vector<int>& loop_fds_;
  const config::Config& config_;
  /// No hint that spares locks: with any, a thread that has lost the loop would not wake the one that has it
  /// (worker/threads/handler_pool.hpp).
  asio::io_context io_;
  Serving serving_;
  std::unique_ptr<asio::signal_set> signals_;
  asio::posix::stream_descriptor channel_;
  Voice voice_;
  bool unwanted_ = false;  ///< told to go while it booted
  bool told_why_ = false;  ///< it does not boot
  bool paused_;
};

void Worker::speak_before_dying() {
  stack::prepare();
  stack::enlist_thread();
  report_crash_to(boot_.channel, voice_.packet_of(ipc::Crashed{}));
}

Worker::WorkerState Worker::fail_boot(const std::string& why) {
  told_why_ = say(ipc::BootFailed{why}) && voice_.finish(kLastWords);
  if (!told_why_) log::error("cannot tell the master why the worker does not boot", {{"why", why}});
  return WorkerState::failed;
}

Worker::WorkerState Worker::boot() {
  const app::WorkerInfo info{.slot = boot_.known_as,
                             .generation = boot_.heritage.generation,
                             .threads = config_.workers.threads,
                             .server_name = config_.server.name};
  // Nobody is left to end a worker that hangs here once the master has been killed; later the end of the life pipe
  // tells it to drain.
  const bool bound = os::die_with_parent(boot_.heritage.master_pid);
  const auto unbound = [bound](WorkerState state) {
    if (bound) os::outlive_parent();
    return state;
  };
  serving_.watch_own_fds(boot_.channel, loop_fds_);
  if (Result<void> started = boot_.app.worker_start(info); !started) return fail_boot(started.error());
  os::fill_standard_fds();  // what the app may have closed: the next connection would get its number
  if (const auto lost = serving_.own_fds().lost()) return fail_boot(lost->text());
  watch_signals();
  watch_channel();
  // The master keeps the boot deadline; this only waits until the app is ready or nobody wants it any more.
  while (!boot_.app.ready()) {
    io_.restart();
    io_.run_for(kAskReady);
    if (unwanted_) return unbound(WorkerState::unwanted);
    if (const auto lost = serving_.own_fds().lost()) return fail_boot(lost->text());
  }
  io_.restart();
  io_.poll();
  return unbound(unwanted_ ? WorkerState::unwanted : WorkerState::ready);
}

void Worker::serve() {
  serving_.intake().start();
  if (paused_) serving_.pause([] {});
  serving_.board().set_phase(scoreboard::WorkerPhase::serving);
  serving_.start_asking();
  serving_.start_beating();
  say(ipc::Ready{});
  io_.restart();
  serving_.pool().run();
  serving_.own_fds().loop.stop();
  serving_.board().end_beats();  // worker_stop() has the rest of the grace
}

void Worker::watch_signals() {
  signals_->async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    const bool master_lives = say(ipc::ToldToStopBySignal{});
    drain("signal", master_lives ? Heirs::likely : Heirs::none);
    watch_signals();
  });
}

void Worker::watch_channel() {
  channel_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
    if (error) return;
    ipc::Channel::Received received;
    ipc::Channel::State state;
    do {
      state = boot_.channel.receive(received);
      if (state == ipc::Channel::State::received) on_message(std::move(received));
    } while (state == ipc::Channel::State::received || state == ipc::Channel::State::malformed);
    if (state == ipc::Channel::State::empty) return watch_channel();
    drain("master gone", Heirs::none);
  });
}

void Worker::on_message(ipc::Channel::Received received) {
  const auto message = ipc::decode<ipc::ToWorker>(received.packet);
  if (!message) return log::warning("message not for a worker", {{"kind", received.packet.tag}});
  std::visit(
      Overloaded{
          [this](const ipc::Drain& order) { drain("asked", order.others_take_over ? Heirs::come : Heirs::none); },
          [&](const ipc::Reopen&) { reopen(std::move(received.fds)); },
          [this](const ipc::Pause& order) { pause(order.number); },
          [this](const ipc::Resume&) { resume(); },
          [this](const ipc::AskStacks& order) { serving_.stack_reports().answer(order.question); },
          [&](const ipc::TakeProfile& order) {
            serving_.profiler().begin(order, received.fds.empty() ? UniqueFd() : std::move(received.fds.front()));
          },
          [this](const ipc::EndProfile& order) { serving_.profiler().end(order.number); },
      },
      *message);
}

/// The master has a successor start first, if it can be told.
void Worker::leave_for(const std::string& why, bool can_tell_master) {
  if (serving_.drain().begun() || (can_tell_master && say(ipc::WantsReplacement{why}))) return;
  serving_.drain().unannounced();
  drain(why, Heirs::likely);
}

void Worker::reopen(std::vector<UniqueFd> files) {
  serving_.reopen_logs(std::move(files));
  say(ipc::Reopened{});
}

void Worker::pause(std::uint32_t number) {
  if (serving_.drain().begun()) return;
  paused_ = true;
  const auto acknowledge = [this, number] { say(ipc::Paused{number}); };
  serving_.intake().started() ? serving_.pause(acknowledge) : acknowledge();  // a worker that still boots begins paused
}

void Worker::resume() {
  paused_ = false;
  serving_.resume();
}

/// In a pause, too, all that has been accepted is answered; and what waits in the queue, unless it is another worker's.
void Worker::drain(std::string_view why, Heirs heirs) {
  if (!serving_.intake().started()) {  // still booting
    unwanted_ = true;
    return io_.stop();
  }
  const bool others_take_over = heirs != Heirs::none;
  serving_.own_fds().watch.stop();
  if (serving_.drain().begun()) return others_take_over ? void() : serving_.drain().stop_after_all();
  if (heirs != Heirs::come) resume();
  // A large fleet that is replaced or stopped would bury the other lines, as with the master's own about each worker.
  log::write(boot_.known_as < kSlotsThatSayIt ? log::Level::info : log::Level::debug, "draining",
             {{"why", why}, {"connections", serving_.connections()}, {"requests", serving_.running()}});
  serving_.board().set_phase(scoreboard::WorkerPhase::draining);
  serving_.drain().begin(others_take_over);
  serving_.admit_held();
}

}  // namespace

int run(Boot boot) {
  Result<Understood> understood = understand(boot.heritage.config);
  if (!understood) {
    boot.channel.send(
        packet_from({.seat = boot.slot, .generation = boot.heritage.generation}, ipc::BootFailed{understood.error()}));
    return exit_code::app_failed;
  }
  std::vector<int> loop_fds;
  std::optional<Worker> worker;
  {
    const os::LowFdsTaken while_the_loop_opens_its_own;
    worker.emplace(std::move(boot), std::move(*understood), loop_fds);
  }
  loop_fds = os::own_event_fds();
  return worker->run();
}

}  // namespace serval::worker
