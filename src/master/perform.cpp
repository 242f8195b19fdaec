#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "base/log.hpp"
#include "ipc/exec_mold.hpp"
#include "ipc/heritage.hpp"
#include "master/master.hpp"
#include "os/fork.hpp"
#include "os/systemd.hpp"

// One overload for each action of the supervisor.
namespace serval::master {
namespace {

constexpr int kForksAtOnce = 8;  // far below what the kernel lets a channel hold, enough that the mold never waits for us
constexpr auto kLeftoverPause = std::chrono::milliseconds(20);
constexpr int kLeftoverRounds = 50;  // so one second from TERM to KILL

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
  auto channels = ipc::Channel::pair();
  if (!channels) return Error{channels.error()};
  OutputPipes pipes;
  if (config_.log.capture) {
    auto made = OutputPipes::make();
    if (!made) return Error{made.error()};
    pipes = std::move(*made);
  }
  ipc::Heritage heritage;
  heritage.config = config_;
  heritage.generation = generation;
  heritage.channel_fd = channels->second.fd();
  heritage.life_fd = life_read_.get();
  heritage.log_fd = logs_.log();
  heritage.access_fd = logs_.access();
  heritage.listeners = listeners_.inherited();
  const auto pid = ipc::exec_mold(program_, heritage, {pipes.output_write.get(), pipes.error_write.get()});
  if (!pid) return pid;

  mold_ = std::make_unique<MoldProcess>();
  mold_->generation = generation;
  mold_->pid = *pid;
  mold_->line.emplace(io_, std::move(channels->first), [this](const ipc::Message& message) { on_mold_message(message); });
  if (config_.log.capture) mold_->captures.emplace(io_, pipes, "mold", generation, *pid);
  return pid;
}

void Master::perform(const supervisor::StopMold&) {
  if (mold_) mold_->line->close();
}

void Master::perform(const supervisor::ReopenMold& action) {
  if (mold_) mold_->line->send({.kind = ipc::Kind::reopen, .generation = action.generation}, logs_.files());
}

void Master::perform(const supervisor::ForkWorker& action) {
  auto worker = seat_worker(action.slot, action.generation);
  if (!worker || !mold_) return handle(supervisor::ForkFailed{action.slot, worker ? "the mold has just ended" : worker.error()});
  workers_[action.slot] = std::move(*worker);
  mold_->to_fork.push_back(action.slot);
  send_forks();
}

/// All that one worker needs of us before it exists.
Result<std::unique_ptr<WorkerProcess>> Master::seat_worker(int slot, int generation) {
  auto channels = ipc::Channel::pair();
  if (!channels) return Error{channels.error()};
  auto worker = std::make_unique<WorkerProcess>();
  if (config_.log.capture) {
    auto pipes = OutputPipes::make();
    if (!pipes) return Error{pipes.error()};
    worker->pipes.emplace(std::move(*pipes));
  }
  worker->slot = slot;
  worker->generation = generation;
  worker->theirs = std::move(channels->second);
  worker->line.emplace(io_, std::move(channels->first), [this, slot](const ipc::Message& message) { on_worker_message(slot, message); });
  return worker;
}

void Master::send_forks() {
  while (mold_->unanswered < kForksAtOnce && !mold_->to_fork.empty()) {
    const int slot = mold_->to_fork.front();
    mold_->to_fork.pop_front();
    WorkerProcess& worker = *workers_.at(slot);
    std::vector<int> fds = {worker.theirs.fd()};
    if (worker.pipes) fds.insert(fds.end(), {worker.pipes->output_write.get(), worker.pipes->error_write.get()});
    if (!mold_->line->send({.kind = ipc::Kind::fork, .slot = slot, .generation = worker.generation}, fds)) {
      workers_.erase(slot);
      handle(supervisor::ForkFailed{slot, "the mold does not take messages any more"});
      continue;
    }
    ++mold_->unanswered;
    worker.theirs.take().reset();
    if (worker.pipes) {
      worker.pipes->output_write.reset();
      worker.pipes->error_write.reset();
    }
  }
}

void Master::perform(const supervisor::DrainWorker& action) {
  if (WorkerProcess* worker = find_worker(action.slot)) worker->line->send({.kind = ipc::Kind::drain, .slot = action.slot});
}

void Master::perform(const supervisor::ReopenWorker& action) {
  if (WorkerProcess* worker = find_worker(action.slot)) worker->line->send({.kind = ipc::Kind::reopen, .slot = action.slot}, logs_.files());
}

void Master::perform(const supervisor::Kill& action) { ::kill(action.pid, action.signal); }

void Master::perform(const supervisor::RefuseConnections&) { listeners_.refuse(); }

void Master::perform(const supervisor::Notify& action) { os::notify(action.state); }

void Master::perform(const supervisor::Log& action) { log::write(action.level, action.sentence, std::span<const log::Field>(action.fields)); }

void Master::perform(const supervisor::Finish& action) {
  finishing_ = true;
  exit_code_ = action.exit_code;
  reap();
  end_leftovers();
}

/// What the app started and left behind has become our child. It is asked to end, then made to: nothing outlives the server.
void Master::end_leftovers() {
  const std::vector<pid_t> children = os::own_children();
  if (children.empty()) return io_.stop();
  if (leftover_rounds_ == 0) log::warning("ending processes that the app left behind", {{"processes", children.size()}});
  const bool first = leftover_rounds_++ == 0;
  const bool patient = leftover_rounds_ < kLeftoverRounds;
  for (const pid_t pid : children) {
    if (first || !patient) ::kill(pid, patient ? SIGTERM : SIGKILL);
  }
  timer_.expires_after(kLeftoverPause);
  timer_.async_wait([this](const auto& error) {
    if (error) return;
    reap();
    end_leftovers();
  });
}

}  // namespace serval::master
