#include "master/master.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <utility>

#include "base/errno_text.hpp"
#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "base/overloaded.hpp"
#include "base/result.hpp"
#include "base/signal_table.hpp"
#include "control/status.hpp"
#include "ipc/messages.hpp"
#include "master/settings.hpp"
#include "os/signals.hpp"
#include "os/spawn.hpp"
#include "os/spawned.hpp"
#include "os/systemd.hpp"
#include "scoreboard/reader.hpp"
#include "stack/names.hpp"

namespace serval::master {
namespace {

supervisor::Exit to_supervisor(const os::Exit& exit) {
  return {exit.signaled, exit.code, exit.core,
          exit.signaled ? os::signal_name(exit.code) : "exit code " + std::to_string(exit.code)};
}

/// The scoreboard is made once; a reload may bring more threads. Unused rows cost nothing.
constexpr int kMinRows = 64;

scoreboard::Memory make_scoreboard(const config::Config& config) {
  auto memory = scoreboard::Memory::create(
      {.slots = supervisor::Settings().slots, .rows = std::max(config.workers.threads + 1, kMinRows)});
  if (!memory) throw StartupError(exit_code::cannot_create, memory.error());  // by a limit, or for want of memory
  return std::move(*memory);
}

ipc::Lobby make_lobby() {
  auto lobby = ipc::make_lobby();
  if (!lobby) throw StartupError(exit_code::internal, lobby.error());
  return std::move(*lobby);
}

}  // namespace

Master::Master(Beginning beginning)
    : arguments_(std::move(beginning.arguments)),
      pidfile_(std::move(beginning.pidfile)),
      lobby_(make_lobby()),
      scoreboard_(make_scoreboard(*beginning.first.config)),
      supervisor_(settings_of(*beginning.first.config, beginning.workers)),
      stacks_(io_, os::kOwnProgram),
      worker_stacks_(io_, stacks_, scoreboard_, ways_to_workers()),
      measure_(beginning.first.config->memory),
      oom_kills_(oom_.read().value_or(0)),
      generations_(std::move(beginning.first)),
      reader_(io_, reaper_, os::kOwnProgram),
      reloads_(reader_, std::move(beginning.sources), generations_, children_, supervisor_, reload_hooks()),
      control_(io_, *generations_.newest().config, supervisor_, scoreboard_, operations()) {
  if (const std::size_t hard = generations_.newest().config->memory.hard; hard > 0) {
    auto taken = os::WorkerCgroups::take(hard);
    if (taken) cgroups_.emplace(std::move(*taken));
    log::debug(taken ? "the kernel keeps memory.hard for each worker" : "the kernel does not keep memory.hard",
               {{"why", taken ? "" : taken.error()}});
  }
  int life[2];
  if (::pipe2(life, O_CLOEXEC) != 0) throw StartupError(exit_code::internal, "cannot make a pipe: " + errno_text());
  life_read_.reset(life[0]);
  life_write_.reset(life[1]);
  listen_to_signals();
}

Operations Master::operations() {
  return {
      .config = [this]() -> const config::Config& { return *generations_.newest().config; },
      .config_file =
          [this] {
            return control::ConfigFile{config::file_of(reloads_.sources()), generations_.newest().config_file};
          },
      .tell = [this](supervisor::Event event) { handle(std::move(event)); },
      .reload = [this](const std::string& by, ReloadDone done) { reloads_.request(by, std::move(done)); },
      .reopen_logs = [this] { return reopen_logs(); },
      .upgrade = [this](const std::string& by) { handle(supervisor::UpgradeRequested{by}); },
      .upgrade_if_possible = [this] { upgrade_if_possible(); },
      .stacks = [this](std::optional<int> slot, const control::Responder& responder) { ask_stacks(slot, responder); }};
}

Reloads::Hooks Master::reload_hooks() {
  return {.tell = [this](supervisor::Event event) { handle(std::move(event)); },
          .configuration_read = [this] { control_.look_after_socket(); },
          .put_in_force =
              [this](const config::Config& config) {
                measure_.use(config.memory);
                if (cgroups_) cgroups_->limit(config.memory.hard);
              }};
}

void Master::listen_to_signals() {
  signals_.add(SIGCHLD);
  for (const SignalRow& row : kSignalTable) {
    if (row.number == SIGHUP && os::is_ignored(SIGHUP)) {
      log::info("SIGHUP was ignored at the start (nohup), and stays so", {{"next", "`serval reload` reloads"}});
      continue;
    }
    signals_.add(row.number);
  }
  os::filter_terminal_signals();
  os::let_signals_in();
}

/// What still lies in the lobby is closed with it, and a close may take as long as the sender likes (socket(7),
/// SO_LINGER). Not so when the process ends: the kernel does not linger for those.
Master::~Master() {
  lobby_.entry.release();
  lobby_.exit.release();
}

int Master::run() {
  await_signal();
  if (taken_over_) {
    reaper_.reap();  // children that ended while no master looked
    handle(supervisor::Tick{});
  } else {
    handle(supervisor::Start{});
  }
  io_.run();
  return farewell_.exit_code();
}

/// An action may fail, which is an event again: it is handled after the actions of the one in hand.
void Master::handle(supervisor::Event event) {
  events_.push_back(std::move(event));
  if (handling_) return;
  handling_ = true;
  while (!events_.empty()) {
    const supervisor::Event next = std::move(events_.front());
    events_.pop_front();
    for (const supervisor::Action& action : supervisor_.on(next, Clock::now())) {
      std::visit([this](const auto& what) { perform(what); }, action);
    }
  }
  handling_ = false;
  control_.look_again();
  upgrade_if_possible();
  if (!farewell_.begun()) arm_timer();
}

void Master::arm_timer() {
  const TimePoint next = supervisor_.next_wakeup();
  if (next == timer_.expiry()) return;
  timer_.expires_at(next);
  if (next == TimePoint::max()) return;
  timer_.async_wait([this](const auto& error) {
    if (error || farewell_.begun()) return;
    timer_.expires_at(TimePoint::max());  // so that the same time, asked for again, arms again
    handle(supervisor::Tick{});
  });
}

// --- signals and exits

void Master::await_signal() {
  signals_.async_wait([this](const auto& error, int number) {
    if (error) return;
    on_signal(number);
    await_signal();
  });
}

void Master::on_signal(int number) {
  if (number == SIGCHLD) return reaper_.reap();
  const auto* row = std::find_if(std::begin(kSignalTable), std::end(kSignalTable),
                                 [number](const SignalRow& other) { return other.number == number; });
  if (row == std::end(kSignalTable)) return;
  switch (row->action) {
    case SignalAction::stop: return stop(std::string(row->name));
    case SignalAction::reopen_logs: reopen_logs(); return;
    case SignalAction::reload: return on_hangup(std::string(row->name));
    case SignalAction::one_worker_more: return handle(supervisor::ScaleRequested{+1, std::string(row->name)});
    case SignalAction::one_worker_fewer: return handle(supervisor::ScaleRequested{-1, std::string(row->name)});
    case SignalAction::upgrade: return handle(supervisor::UpgradeRequested{std::string(row->name)});
  }
}

/// A terminal that closes ends what was started there, as anything else that runs in it; it may say so more than once.
void Master::on_hangup(const std::string& name) {
  if (!os::is_end_of_terminal(os::take_hangup(), had_terminal_, os::has_terminal())) return reloads_.request(name);
  if (!std::exchange(terminal_closed_, true)) stop(name + ", the terminal has closed");
}

void Master::stop(const std::string& by) {
  handle(supervisor::StopRequested{.signal = by,
                                   .requests = control::requests_in_progress(supervisor_.snapshot(), scoreboard_)});
}

/// Why not all of them; empty: all.
std::string Master::reopen_logs() {
  const std::string failures = generations_.reopen_logs();
  log::reopen(generations_.in_force().logs->log());
  handle(supervisor::LogsReopened{});
  return failures;
}

void Master::worker_exited(int slot, const os::Exit& exit) {
  WorkerProcess& known = *children_.find_worker(slot);
  known.line->drain();  // its last words first
  if (known.captures) known.captures->drain();
  const std::unique_ptr<WorkerProcess> worker = children_.take_worker(slot);
  worker_stacks_.on_exit(worker->slot, worker->pid);
  on_worker_exit(*worker, exit);
}

void Master::on_worker_exit(const WorkerProcess& worker, const os::Exit& exit) {
  supervisor::Exit told = to_supervisor(exit);
  const os::WorkerCgroups::End end = cgroups_ ? cgroups_->leave(worker.slot) : os::WorkerCgroups::End{};
  told.above_hard = end.killed && end.over_max;
  told.oom = exit.signaled && exit.code == SIGKILL && (oom_killer_was_here() || end.killed) && !told.above_hard;
  const TimePoint now = Clock::now();
  for (const scoreboard::RequestInProgress& request : scoreboard::read_requests(scoreboard_, worker.slot)) {
    if (request.deadline <= now) continue;  // its client has had its answer
    told.requests.push_back({request.method, request.target, request.request_id,
                             in_milliseconds(now - request.started)});
  }
  const scoreboard::SlotReading last = scoreboard::read_slot(scoreboard_, worker.slot);
  told.waiting = last.waiting;
  told.connections = last.connections;
  scoreboard::clear_slot(scoreboard_, worker.slot);
  handle(supervisor::ChildExited{exit.pid, told});
  generations_.forget_unused(supervisor_.snapshot().generation, children_);
}

/// Without its group a worker is watched by our own looks alone.
void Master::add_to_cgroup(const WorkerProcess& worker) {
  if (!cgroups_) return;
  if (auto seated = cgroups_->seat(worker.slot, worker.pid); !seated)
    log::warning("worker without a cgroup", {{"slot", worker.known_as}, {"why", seated.error()}});
}

/// Since the last time that we asked.
bool Master::oom_killer_was_here() {
  const std::uint64_t kills = oom_.read().value_or(oom_kills_);
  return std::exchange(oom_kills_, kills) < kills;
}

void Master::mold_exited(int generation, const os::Exit& exit) {
  MoldProcess& mold = *children_.find_mold(generation);
  mold.line->drain();  // its last words
  if (mold.captures) mold.captures->drain();
  children_.remove_mold(generation);
  handle(supervisor::ChildExited{exit.pid, to_supervisor(exit)});
  generations_.forget_unused(supervisor_.snapshot().generation, children_);
}

}  // namespace serval::master
