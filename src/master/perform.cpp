#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/log.hpp"
#include "ipc/exec_mold.hpp"
#include "ipc/heritage.hpp"
#include "master/master.hpp"
#include "os/cpus.hpp"
#include "os/fork.hpp"
#include "os/spawn.hpp"
#include "os/systemd.hpp"
#include "os/thread_stat.hpp"
#include "os/wait.hpp"
#include "scoreboard/reader.hpp"

// One overload for each action of the supervisor.
namespace serval::master {
namespace {

/// Far below what the kernel lets a channel hold, enough that the mold never waits for us.
constexpr int kMaxUnansweredForks = 8;

/// Why a message could not be sent: the other end, or ours, is closed.
bool hung_up(int error) { return error == EPIPE || error == ECONNRESET || error == EBADF; }

}  // namespace

void Master::perform(const supervisor::StartMold& action) {
  const auto pid = start_mold(action.generation);
  if (pid) {
    handle(supervisor::MoldStarted{action.generation, *pid});
  } else {
    handle(supervisor::MoldNotStarted{action.generation, pid.error()});
  }
}

Result<pid_t> Master::start_mold(int generation) {
  const Generation& what = generations_.begin(generation);
  const config::Config& config = *what.config;
  auto channels = ipc::Channel::pair();
  if (!channels) return Error{channels.error()};
  OutputPipes pipes;
  if (config.log.capture) {
    auto made = OutputPipes::make();
    if (!made) return Error{made.error()};
    pipes = std::move(*made);
  }
  ipc::Heritage heritage;
  heritage.config = config;
  heritage.generation = generation;
  heritage.orders_fd = channels->second.in_fd();
  heritage.reports_fd = channels->second.out_fd();
  heritage.life_fd = life_read_.get();
  heritage.master_pid = ::getpid();
  heritage.cpus = os::usable_cpus().usable;
  heritage.scoreboard_fd = scoreboard_.fd();
  heritage.log_fd = what.logs->log();
  heritage.access_fd = what.logs->access();
  heritage.lobby_entry_fd = lobby_.entry.get();
  heritage.lobby_exit_fd = lobby_.exit.get();
  heritage.listeners = inherited(what.listeners);
  const AppFile app_file = look_at_app(config.app.library);
  const auto pid = ipc::exec_mold(os::kOwnProgram, heritage, {pipes.output_write.get(), pipes.error_write.get()});
  if (!pid) return pid;

  auto mold = std::make_unique<MoldProcess>();
  mold->generation = generation;
  mold->app_file = app_file;
  mold->pid = *pid;
  mold->line.emplace(io_, std::move(channels->first),
                     [this, generation](const ipc::Packet& packet) { on_mold_message(generation, packet); });
  if (config.log.capture) mold->captures.emplace(io_, pipes, "mold", generation, *pid);
  children_.add(std::move(mold));
  reaper_.await(*pid, [this, generation](const os::Exit& exit) { mold_exited(generation, exit); });
  return pid;
}

void Master::perform(const supervisor::StopMold& action) {
  if (MoldProcess* mold = find_mold(action.generation)) mold->line->close();
}

void Master::perform(const supervisor::ReopenMold& action) {
  MoldProcess* mold = find_mold(action.generation);
  if (mold == nullptr) return;
  if (mold->line->send(ipc::encode<ipc::ToMold>(ipc::Reopen{}), generations_.at(action.generation).logs->files()))
    return;
  if (!hung_up(errno)) handle(supervisor::MoldDeaf{action.generation});
}

void Master::perform(const supervisor::ForkWorker& action) {
  MoldProcess* mold = find_mold(action.generation);
  auto worker = prepare_worker(action);
  if (!worker || mold == nullptr)
    return handle(supervisor::ForkFailed{action.slot, worker ? "the mold has just ended" : worker.error()});
  children_.add(std::move(*worker));
  mold->to_fork.push_back(action.slot);
  send_forks(*mold);
}

/// Everything a worker needs from the master before it is forked.
Result<std::unique_ptr<WorkerProcess>> Master::prepare_worker(const supervisor::ForkWorker& action) {
  const int slot = action.slot;
  auto channels = ipc::Channel::pair();
  if (!channels) return Error{channels.error()};
  auto worker = std::make_unique<WorkerProcess>();
  if (generations_.config_of(action.generation).log.capture) {
    auto pipes = OutputPipes::make();
    if (!pipes) return Error{pipes.error()};
    worker->pipes.emplace(std::move(*pipes));
  }
  worker->slot = slot;
  worker->known_as = action.number;
  worker->generation = action.generation;
  worker->max_requests = action.max_requests;
  worker->pause = action.pause;
  worker->theirs = std::move(channels->second);
  worker->line.emplace(io_, std::move(channels->first),
                       [this, slot](const ipc::Packet& packet) { on_worker_message(slot, packet); });
  return worker;
}

void Master::send_forks(MoldProcess& mold) {
  while (mold.unanswered < kMaxUnansweredForks && !mold.to_fork.empty()) {
    const int slot = mold.to_fork.front();
    mold.to_fork.pop_front();
    WorkerProcess& worker = *find_worker(slot);
    std::vector<int> fds = {worker.theirs.in_fd(), worker.theirs.out_fd()};
    if (worker.pipes) fds.insert(fds.end(), {worker.pipes->output_write.get(), worker.pipes->error_write.get()});
    const ipc::Fork fork{.slot = slot,
                         .generation = worker.generation,
                         .pause = worker.pause,
                         .max_requests = worker.max_requests,
                         .known_as = worker.known_as};
    if (!mold.line->send(ipc::encode<ipc::ToMold>(fork), fds)) {
      children_.remove_worker(slot);
      handle(supervisor::ForkFailed{slot, "the mold does not take messages any more"});
      continue;
    }
    worker.asked = true;
    ++mold.unanswered;
    worker.theirs.close();
    if (worker.pipes) {
      worker.pipes->output_write.reset();
      worker.pipes->error_write.reset();
    }
  }
}

/// Never waits: a worker that does not read is replaced. That the other end is closed is no news: its exit follows.
void Master::tell(WorkerProcess& worker, const ipc::ToWorker& message, const std::vector<int>& fds) {
  if (!worker.line->send(ipc::encode(message), fds) && !hung_up(errno)) handle(supervisor::WorkerDeaf{worker.slot});
}

void Master::perform(const supervisor::DrainWorker& action) {
  WorkerProcess* worker = find_worker(action.slot);
  if (worker == nullptr) return;
  tell(*worker, ipc::Drain{.others_take_over = action.succeeded});
}

void Master::perform(const supervisor::ReopenWorker& action) {
  WorkerProcess* worker = find_worker(action.slot);
  if (worker == nullptr) return;
  tell(*worker, ipc::Reopen{}, generations_.at(worker->generation).logs->files());
}

void Master::perform(const supervisor::PauseWorker& action) {
  if (WorkerProcess* worker = find_worker(action.slot)) tell(*worker, ipc::Pause{action.pause});
}

void Master::perform(const supervisor::ResumeWorker& action) {
  if (WorkerProcess* worker = find_worker(action.slot)) tell(*worker, ipc::Resume{});
}

void Master::perform(const supervisor::Kill& action) { os::kill_child(action.pid, action.signal); }

void Master::perform(const supervisor::LookAtWorkers& action) {
  supervisor::LookedAtWorkers looked;
  const TimePoint now = Clock::now();
  for (const auto& [slot, worker] : children_.workers()) {
    if (worker->pid == 0) continue;
    supervisor::Sample sample{.slot = slot, .pid = worker->pid, .pulse = {}, .memory = {}};
    const scoreboard::SlotReading reading = scoreboard::read_slot(scoreboard_, slot);
    sample.pulse.beat = reading.last_beat;
    if (action.silent_for > Duration::zero() && now - reading.last_beat >= action.silent_for) {
      const auto loop = os::thread_stat(worker->pid, reading.loop_thread);
      if (loop) sample.pulse.state = loop->state;
      if (loop) sample.pulse.cpu = loop->cpu;
    }
    if (action.memory) sample.memory = measure_.look(worker->pid);
    looked.samples.push_back(sample);
  }
  handle(std::move(looked));
}

void Master::perform(const supervisor::InspectApp& action) {
  const MoldProcess* mold = find_mold(action.generation);
  const AppFile now = look_at_app(generations_.config_of(action.generation).app.library);
  if (mold == nullptr || now.size < 0 || now == mold->app_file || now == tried_app_) return;
  tried_app_ = now;  // if it does not load, the next crash is no reason to try the same file again
  handle(supervisor::AppChanged{action.generation});
}

void Master::perform(const supervisor::ReloadEnded& action) { reloads_.perform(action); }

void Master::perform(const supervisor::ReloadAgain& action) { reloads_.perform(action); }

void Master::perform(const supervisor::RetireListeners&) { generations_.retire_listeners(); }

void Master::perform(const supervisor::RefuseConnections&) {
  reader_.cancel("the server is stopping");
  generations_.leave_listeners();
}

void Master::perform(const supervisor::Notify& action) { os::notify(action.state); }

void Master::perform(const supervisor::Log& action) {
  log::write(action.level, action.sentence, std::span<const log::Field>(action.fields));
}

void Master::perform(const supervisor::Finish& action) {
  timer_.cancel();
  reader_.give_up();
  farewell_.begin(action.exit_code);
}

}  // namespace serval::master
