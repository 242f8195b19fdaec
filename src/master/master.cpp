#include "master/master.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <random>
#include <set>
#include <utility>

#include "base/errno_text.hpp"
#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "base/overloaded.hpp"
#include "base/result.hpp"
#include "base/signal_table.hpp"
#include "control/status.hpp"
#include "ipc/messages.hpp"
#include "os/signals.hpp"
#include "os/spawn.hpp"
#include "os/spawned.hpp"
#include "os/systemd.hpp"
#include "scoreboard/reader.hpp"
#include "stack/names.hpp"

namespace serval::master {
namespace {

supervisor::Exit to_supervisor(const os::Exit& exit) {
  return {exit.signaled, exit.code, exit.core, exit.signaled ? os::signal_name(exit.code) : "exit code " + std::to_string(exit.code)};
}

/// An app may start and leave behind any number of processes while its mold owes us an answer.
constexpr std::size_t kMostEarlyExits = 4096;

/// The scoreboard is made once; a reload may bring more threads. Rows that nobody uses cost nothing.
constexpr int kLeastRows = 64;

scoreboard::Memory make_scoreboard(const config::Config& config) {
  auto memory = scoreboard::Memory::create({.slots = supervisor::Settings().slots, .rows = std::max(config.workers.threads + 1, kLeastRows)});
  if (!memory) throw StartupError(exit_code::cannot_create, memory.error());  // by a limit, or for want of memory
  return std::move(*memory);
}

ipc::Lobby make_lobby() {
  auto lobby = ipc::make_lobby();
  if (!lobby) throw StartupError(exit_code::internal, lobby.error());
  return std::move(*lobby);
}

}  // namespace

supervisor::Settings settings_of(const config::Config& config, int workers) {
  supervisor::Settings settings;
  settings.workers = workers;
  settings.limits = config.workers;
  settings.memory = config.memory;
  settings.delay = config.shutdown.delay;
  settings.grace = config.shutdown.grace;
  settings.restart = config.restart;
  settings.reload = config.reload;
  settings.seed = std::random_device{}();
  settings.notified = os::somebody_is_notified();
  settings.watchdog = os::watchdog_interval();
  return settings;
}

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
      newest_(std::move(beginning.first)),
      sources_(std::move(beginning.sources)),
      reader_(io_, os::kOwnProgram),
      control_(io_, *newest_.config, supervisor_, scoreboard_, operations()) {
  if (const std::size_t hard = newest_.config->memory.hard; hard > 0) {
    auto taken = os::WorkerCgroups::take(hard);
    if (taken) cgroups_.emplace(std::move(*taken));
    log::debug(taken ? "the kernel keeps memory.hard for each worker" : "the kernel does not keep memory.hard", {{"why", taken ? "" : taken.error()}});
  }
  int life[2];
  if (::pipe2(life, O_CLOEXEC) != 0) throw StartupError(exit_code::internal, "cannot make a pipe: " + errno_text());
  life_read_.reset(life[0]);
  life_write_.reset(life[1]);
  listen_to_signals();
}

WorkerStacks::Hooks Master::ways_to_workers() {
  return {.send = [this](const auto& worker, const ipc::ToWorker& message) { return find_worker(worker.slot)->line->send(ipc::encode(message)); },
          .layout = [this](const auto& worker) { return layout_of(worker.slot, worker.generation, worker.pid); }};
}

Operations Master::operations() {
  return {.config = [this]() -> const config::Config& { return *newest_.config; },
          .config_file = [this] { return control::ConfigFile{config::file_of(sources_), newest_.config_file}; },
          .tell = [this](supervisor::Event event) { handle(std::move(event)); },
          .reload = [this](const std::string& by, ReloadDone done) { request_reload(by, std::move(done)); },
          .reopen_logs = [this] { return reopen_logs(); },
          .upgrade = [this](const std::string& by) { handle(supervisor::UpgradeRequested{by}); },
          .upgrade_if_possible = [this] { upgrade_if_possible(); },
          .stacks = [this](std::optional<int> slot, const control::Responder& responder) { ask_stacks(slot, responder); }};
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

/// What still lies in the lobby is closed with it, and a close may take as long as whoever put it there likes (socket(7), SO_LINGER). Not so when the
/// process ends: the kernel does not linger for those.
Master::~Master() {
  lobby_.entry.release();
  lobby_.exit.release();
}

int Master::run() {
  await_signal();
  if (taken_over_) {
    reap();  // who ended while nobody looked
    handle(supervisor::Tick{});
  } else {
    handle(supervisor::Start{});
  }
  io_.run();
  return exit_code_;
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
  if (!finishing_) arm_timer();
}

void Master::arm_timer() {
  const TimePoint next = supervisor_.next_wakeup();
  if (next == timer_.expiry()) return;
  timer_.expires_at(next);
  if (next == TimePoint::max()) return;
  timer_.async_wait([this](const auto& error) {
    if (error || finishing_) return;
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
  if (number == SIGCHLD) return reap();
  const auto* row = std::find_if(std::begin(kSignalTable), std::end(kSignalTable), [number](const SignalRow& other) { return other.number == number; });
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
  if (!os::is_end_of_terminal(os::take_hangup(), had_terminal_, os::has_terminal())) return request_reload(name);
  if (!std::exchange(terminal_closed_, true)) stop(name + ", the terminal has closed");
}

void Master::stop(const std::string& by) {
  handle(supervisor::StopRequested{.signal = by, .requests = control::requests_in_progress(supervisor_.snapshot(), scoreboard_)});
}

/// Why not all of them; empty: all.
std::string Master::reopen_logs() {
  std::string failures;
  std::set<LogFiles*> files = {newest_.logs.get()};
  for (const auto& [number, generation] : generations_) files.insert(generation.logs.get());
  for (LogFiles* logs : files) {
    const std::string why = logs->reopen();
    if (failures.find(why) == std::string::npos) failures += (failures.empty() ? "" : "\n") + why;
  }
  log::reopen(in_force().logs->log());
  handle(supervisor::LogsReopened{});
  return failures;
}

/// SIGCHLDs merge, and as a subreaper (or PID 1) we get children that we never heard of.
void Master::reap() {
  while (const auto exit = os::reap_one()) child_exited(*exit);
}

void Master::child_exited(const os::Exit& exit) {
  const auto mold = std::find_if(molds_.begin(), molds_.end(), [&exit](const auto& entry) { return entry.second->pid == exit.pid; });
  if (mold != molds_.end()) return mold_exited(mold->first, exit);
  const auto found = std::find_if(workers_.begin(), workers_.end(), [&exit](const auto& entry) { return entry.second->pid == exit.pid; });
  if (found == workers_.end()) {
    if (check_ && check_->pid == exit.pid) return check_ended(exit);
    if (reader_.on_exit(exit)) return;
    if (forks_outstanding() && early_exits_.size() < kMostEarlyExits) early_exits_.insert_or_assign(exit.pid, exit);
    return;
  }
  found->second->line->drain();  // its last words first
  if (found->second->captures) found->second->captures->drain();
  const std::unique_ptr<WorkerProcess> worker = std::move(found->second);
  workers_.erase(found);
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
    told.requests.push_back({request.method, request.target, request.request_id, std::chrono::duration_cast<Duration>(now - request.started)});
  }
  const scoreboard::SlotReading last = scoreboard::read_slot(scoreboard_, worker.slot);
  told.waiting = last.waiting;
  told.connections = last.connections;
  scoreboard::clear_slot(scoreboard_, worker.slot);
  handle(supervisor::ChildExited{exit.pid, told});
  forget_unused_generations();
}

/// Without its group a worker is watched by our own looks alone.
void Master::seat_in_cgroup(const WorkerProcess& worker) {
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
  MoldProcess& mold = *molds_.at(generation);
  mold.line->drain();  // its last words
  if (mold.captures) mold.captures->drain();
  molds_.erase(generation);
  // Whoever it forked without telling us finds its channel closed and leaves.
  std::erase_if(workers_, [generation](const auto& entry) { return entry.second->pid == 0 && entry.second->generation == generation; });
  if (!forks_outstanding()) early_exits_.clear();
  handle(supervisor::ChildExited{exit.pid, to_supervisor(exit)});
  forget_unused_generations();
}

// --- messages

void Master::on_mold_message(int generation, const ipc::Packet& packet) {
  if (packet.generation != generation) return drop(packet, "the mold", "it names another generation");
  const auto message = ipc::decode<ipc::FromMold>(packet);
  if (!message) return drop(packet, "the mold", "a mold says no such thing");
  std::visit(Overloaded{
                 [&](const ipc::Loaded& loaded) {
                   Generation& of = generations_.at(generation);
                   if (of.build.empty()) of.build = loaded.build_id;
                   handle(supervisor::MoldLoaded{generation, loaded.build_id});
                 },
                 [&](const ipc::LoadFailed& failed) { handle(supervisor::MoldLoadFailed{generation, failed.why}); },
                 [&](const ipc::Reopened&) { handle(supervisor::MoldReopened{generation}); },
                 [&](const ipc::Forked& forked) { on_fork_answered(*molds_.at(generation), packet, forked.pid); },
                 [&](const ipc::ForkFailed& failed) { on_fork_answered(*molds_.at(generation), packet, Error{failed.why}); },
             },
             *message);
}

/// What nobody should have said. It is told, but not each time.
void Master::drop(const ipc::Packet& packet, std::string_view from, std::string_view why) {
  report({log::Level::warning,
          "message dropped",
          {{"from", from},
           {"why", why},
           {"kind", packet.tag},
           {"claimed_gen", packet.generation},  // no reason of the fold's: it may be another one each time
           {"claimed_slot", packet.slot}}});
}

/// Why no worker of ours can be this process; empty: it may be one. Whoever is root must not take the app's word for whom to watch and to kill.
std::string Master::why_no_worker(pid_t pid) const {
  const auto has = [pid](const auto& processes) {
    return std::any_of(processes.begin(), processes.end(), [pid](const auto& entry) { return entry.second->pid == pid; });
  };
  if (os::is_spawned(pid) || has(molds_)) return "serval has started that process itself, for something else";
  if (has(workers_)) return "that process is another worker";
  if (!early_exits_.contains(pid) && !os::is_child(pid)) return "that process is no child of this server's master";
  return "";
}

void Master::on_fork_answered(MoldProcess& mold, const ipc::Packet& packet, Result<pid_t> pid) {
  const int slot = packet.slot;
  WorkerProcess* worker = find_worker(slot);
  const bool owed = worker != nullptr && worker->asked && worker->pid == 0 && worker->generation == mold.generation;
  if (!owed) return drop(packet, "the mold", "it answers no fork that it was asked for");
  --mold.unanswered;
  send_forks(mold);
  if (pid) {
    if (const std::string why = why_no_worker(*pid); !why.empty()) {
      pid = Error{"the mold says that the worker has pid " + std::to_string(*pid) + ", but " + why};
    }
  }
  if (!pid) {
    workers_.erase(slot);
    return handle(supervisor::ForkFailed{slot, pid.error()});
  }
  worker->pid = *pid;
  if (worker->pipes) worker->captures.emplace(io_, *worker->pipes, worker->name(), worker->generation, worker->pid);
  worker->pipes.reset();
  seat_in_cgroup(*worker);
  handle(supervisor::WorkerForked{slot, *pid});
  // A pid that lives now is not the one that has been reaped before.
  const auto early = os::is_child(*pid) ? decltype(early_exits_)::node_type() : early_exits_.extract(*pid);
  if (!forks_outstanding()) early_exits_.clear();
  if (early) child_exited(early.mapped());
}

void Master::on_worker_message(int slot, const ipc::Packet& packet) {
  const auto message = ipc::decode<ipc::FromWorker>(packet);
  if (!message) return drop(packet, find_worker(slot)->name(), "a worker says no such thing");
  const auto pid = [&] { return find_worker(slot)->pid; };
  std::visit(Overloaded{
                 [&](const ipc::Ready&) { handle(supervisor::WorkerReady{slot}); },
                 [&](const ipc::BootFailed& failed) { handle(supervisor::WorkerBootFailed{slot, failed.why}); },
                 [&](const ipc::Reopened&) { handle(supervisor::WorkerReopened{slot}); },
                 [&](const ipc::ToldToStopBySignal&) { handle(supervisor::WorkerLeaving{slot}); },
                 [&](const ipc::WantsReplacement& wants) { handle(supervisor::WorkerSpent{slot, wants.unfit}); },
                 [&](const ipc::TimedOut& timed_out) { on_timed_out(slot, timed_out); },
                 [&](const ipc::OnlyStuckLeft&) { handle(supervisor::OnlyStuckLeft{slot}); },
                 [&](const ipc::NoLongerAccepting&) { handle(supervisor::WorkerLeft{slot}); },
                 [&](const ipc::Crashed& crashed) { on_crashed(slot, crashed); },
                 [&](const ipc::Paused& paused) { handle(supervisor::WorkerPaused{slot, paused.number}); },
                 [&](const ipc::Stack& stack) { worker_stacks_.on_report(slot, pid(), stack); },
                 [&](const ipc::StacksEnd& end) { worker_stacks_.on_end(slot, pid(), end); },
             },
             *message);
}

void Master::on_timed_out(int slot, const ipc::TimedOut& message) {
  if (!message.report) return handle(supervisor::RequestTimedOut{slot});
  const ipc::TimeoutReport& report = *message.report;
  const WorkerProcess& worker = *find_worker(slot);
  stacks_.name(worker.pid, report.frames, [this, report, slot = worker.known_as, pid = worker.pid](const std::vector<std::string>& frames) {
    this->report({log::Level::warning,
                  "request timed out",
                  {{"method", ipc::get_text(report.method)},
                   {"target", ipc::get_text(report.target)},
                   {"request_id", ipc::get_text(report.request_id)},
                   {"peer", ipc::get_text(report.peer)},
                   {"age_ms", report.age_ms},
                   {"slot", slot},
                   {"worker_pid", pid},
                   {"thread", report.frames.thread},
                   {"stack", frames.empty() ? "the thread does not answer" : stack::one_line(frames)}}});
  });
  if (!message.may_return) handle(supervisor::RequestTimedOut{slot});
}

/// The process may be gone by now; its mold has the same libraries in the same places.
void Master::on_crashed(int slot, const ipc::Crashed& message) {
  const ipc::CrashReport& report = message.report;
  if (report.sender == ::getpid()) return;  // we aborted it, and have said why
  const WorkerProcess& worker = *find_worker(slot);
  const MoldProcess* mold = find_mold(worker.generation);
  const pid_t layout = mold != nullptr ? mold->pid : worker.pid;
  const bool unnamed = worker.pid == 0;  // it was faster than its mold
  const pid_t pid = unnamed && why_no_worker(message.pid).empty() ? message.pid : worker.pid;
  const std::string& library = config_of(worker.generation).app.library;
  const bool spoilt = mold != nullptr && overwritten(mold->app_file, look_at_app(library));
  stacks_.name(layout, report.frames, [this, report, slot = worker.known_as, spoilt, library, pid](const std::vector<std::string>& frames) {
    supervisor::Log line{log::Level::warning,
                         "worker crashed",
                         {{"slot", slot},
                          {"worker_pid", pid},
                          {"signal", os::signal_name(report.signal)},
                          {"sender_pid", report.sender},
                          {"thread", report.frames.thread},
                          {"stack", stack::one_line(frames)}}};
    if (spoilt) line.fields.emplace_back("overwritten", library + " was written into after it had been loaded; deploy by mv or install, then reload");
    this->report(std::move(line));
  });
}

/// Of all workers, or of those in `slot`: the one that leaves, and its successor.
void Master::ask_stacks(std::optional<int> slot, const control::Responder& responder) {
  std::vector<WorkerStacks::Worker> asked;
  for (const auto& [seat, worker] : workers_) {
    if (worker->pid != 0 && (!slot || *slot == worker->known_as)) asked.push_back({seat, worker->known_as, worker->generation, worker->pid});
  }
  if (asked.empty()) return responder.refuse(slot ? "no worker in slot " + std::to_string(*slot) : "there is no worker", exit_code::app_failed);
  responder.progress("asking " + std::to_string(asked.size()) + (asked.size() == 1 ? " worker" : " workers"));
  worker_stacks_.ask(asked, [responder](boost::json::object result) { responder.finish(std::move(result)); });
}

/// 0: neither the worker lives nor its mold.
pid_t Master::layout_of(int slot, int generation, pid_t pid) {
  const WorkerProcess* worker = find_worker(slot);
  if (worker != nullptr && worker->pid == pid) return pid;
  const MoldProcess* mold = find_mold(generation);
  return mold != nullptr ? mold->pid : 0;
}

/// At the very end nobody is left to fold it.
void Master::report(supervisor::Log line) {
  if (!finishing_) return handle(supervisor::Reported{std::move(line)});
  log::write(line.level, line.sentence, std::span<const log::Field>(line.fields));
}

MoldProcess* Master::find_mold(int generation) {
  const auto found = molds_.find(generation);
  return found == molds_.end() ? nullptr : found->second.get();
}

WorkerProcess* Master::find_worker(int slot) {
  const auto found = workers_.find(slot);
  return found == workers_.end() ? nullptr : found->second.get();
}

bool Master::forks_outstanding() const {
  return std::any_of(workers_.begin(), workers_.end(), [](const auto& entry) { return entry.second->pid == 0; });
}

}  // namespace serval::master
