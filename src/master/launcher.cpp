#include "master/launcher.hpp"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "ipc/exec_mold.hpp"
#include "ipc/heritage.hpp"
#include "ipc/messages.hpp"
#include "master/process_records.hpp"
#include "os/cpus.hpp"
#include "os/spawn.hpp"

namespace serval::master {
namespace {

/// Far below what the kernel lets a channel hold, enough that the mold never waits for us.
constexpr int kMaxUnansweredForks = 8;

int most_task_sockets(const config::Programs& programs) {
  std::size_t most = 0;
  for (const auto& [name, program] : programs) {
    if (program.is_task()) most = std::max(most, program.listen.size());
  }
  return static_cast<int>(most);
}

}  // namespace

void Launcher::perform(const supervisor::StartMold& action) {
  const auto pid = start_mold(action.generation);
  if (pid) {
    hooks_.tell(supervisor::MoldStarted{action.generation, *pid});
  } else {
    hooks_.tell(supervisor::MoldNotStarted{action.generation, pid.error()});
  }
}

Result<pid_t> Launcher::start_mold(int generation) {
  const Generation& what = parts_.generations.begin(generation);
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
  heritage.task_sockets = most_task_sockets(config.programs);
  heritage.config.programs.clear();  // their secrets are not the app's
  heritage.generation = generation;
  heritage.orders_fd = channels->second.in_fd();
  heritage.reports_fd = channels->second.out_fd();
  heritage.master_pid = ::getpid();
  heritage.cpus = os::usable_cpus().usable;
  heritage.log_fd = what.logs->log();
  heritage.access_fd = what.logs->access();
  heritage.listeners = inherited(what.listeners);
  parts_.inheritance.put_into(heritage);
  const AppFile app_file = look_at_app(config.app.library);  // before it is loaded: never newer than what the mold has
  const auto pid = ipc::exec_mold(os::kOwnProgram, heritage, {pipes.output_write.get(), pipes.error_write.get()});
  if (!pid) return pid;

  auto mold = std::make_unique<MoldProcess>();
  mold->generation = generation;
  mold->app_file = app_file;
  mold->pid = *pid;
  listen_to(*mold, std::move(channels->first));
  if (config.log.capture) mold->captures.emplace(parts_.io, pipes, "mold", generation, *pid);
  await(*mold);
  parts_.children.add(std::move(mold));
  return pid;
}

void Launcher::perform(const supervisor::ForkWorker& action) {
  MoldProcess* mold = parts_.children.find_mold(action.generation);
  auto worker = prepare_worker(action);
  if (!worker || mold == nullptr)
    return hooks_.tell(supervisor::ForkFailed{action.slot, worker ? "the mold has just ended" : worker.error()});
  parts_.children.add(std::move(*worker));
  mold->to_fork.push_back(action.slot);
  send_forks(*mold);
}

/// Everything a worker needs from the master before it is forked.
Result<std::unique_ptr<WorkerProcess>> Launcher::prepare_worker(const supervisor::ForkWorker& action) {
  auto channels = ipc::Channel::pair();
  if (!channels) return Error{channels.error()};
  auto worker = std::make_unique<WorkerProcess>();
  if (parts_.generations.config_of(action.generation).log.capture) {
    auto pipes = OutputPipes::make();
    if (!pipes) return Error{pipes.error()};
    worker->pipes.emplace(std::move(*pipes));
  }
  worker->slot = action.slot;
  worker->known_as = action.number;
  worker->generation = action.generation;
  worker->max_requests = action.max_requests;
  worker->pause = action.pause;
  worker->theirs = std::move(channels->second);
  listen_to(*worker, std::move(channels->first));
  return worker;
}

void Launcher::send_forks(MoldProcess& mold) {
  while (mold.unanswered < kMaxUnansweredForks && !mold.to_fork.empty()) {
    const int slot = mold.to_fork.front();
    mold.to_fork.pop_front();
    WorkerProcess& worker = *parts_.children.find_worker(slot);
    std::vector<int> fds = {worker.theirs.in_fd(), worker.theirs.out_fd()};
    if (worker.pipes) fds.insert(fds.end(), {worker.pipes->output_write.get(), worker.pipes->error_write.get()});
    const ipc::Fork fork{.slot = slot,
                         .generation = worker.generation,
                         .pause = worker.pause,
                         .max_requests = worker.max_requests,
                         .known_as = worker.known_as};
    if (!mold.line->send(ipc::encode<ipc::ToMold>(fork), fds)) {
      parts_.children.remove_worker(slot);
      hooks_.tell(supervisor::ForkFailed{slot, "the mold does not take messages any more"});
      continue;
    }
    worker.asked = true;
    ++mold.unanswered;
    worker.theirs.close();  // our copies of its ends: only the worker's own end tells us that it is gone
    if (worker.pipes) {
      worker.pipes->output_write.reset();
      worker.pipes->error_write.reset();
    }
  }
}

void Launcher::on_fork_answered(int generation, int slot, Result<pid_t> pid) {
  MoldProcess& mold = *parts_.children.find_mold(generation);
  WorkerProcess& worker = *parts_.children.find_worker(slot);
  --mold.unanswered;
  send_forks(mold);
  if (pid) {
    if (const std::string why = parts_.children.why_no_worker(*pid); !why.empty()) {
      pid = Error{"the mold says that the worker has pid " + std::to_string(*pid) + ", but " + why};
    }
  }
  if (!pid) {
    parts_.children.remove_worker(slot);
    return hooks_.tell(supervisor::ForkFailed{slot, pid.error()});
  }
  worker.pid = *pid;
  if (worker.pipes) worker.captures.emplace(parts_.io, *worker.pipes, worker.name(), worker.generation, worker.pid);
  worker.pipes.reset();
  await(worker);
  parts_.memory.add(slot, worker.known_as, worker.pid);
  hooks_.tell(supervisor::WorkerForked{slot, *pid});
  if (const auto early = parts_.children.take_early_exit(*pid)) parts_.reaper.deliver(*early);
}

void Launcher::resume(const Handover& handover) {
  for (const ProcessRecord& record : handover.molds) resume_mold(record);
  for (const ProcessRecord& record : handover.workers) resume_worker(record);
}

void Launcher::resume_mold(const ProcessRecord& record) {
  auto mold = std::make_unique<MoldProcess>();
  mold->generation = record.generation;
  mold->pid = record.pid;
  mold->app_file = app_file_of(record);
  OutputPipes pipes = pipes_of(record);
  if (record.output_fd >= 0) mold->captures.emplace(parts_.io, pipes, "mold", record.generation, record.pid);
  listen_to(*mold, channel_of(record));
  await(*mold);
  parts_.children.add(std::move(mold));
}

void Launcher::resume_worker(const ProcessRecord& record) {
  auto worker = std::make_unique<WorkerProcess>();
  worker->slot = record.slot;
  worker->known_as = record.known_as;
  worker->generation = record.generation;
  worker->max_requests = record.max_requests;
  worker->pid = record.pid;
  OutputPipes pipes = pipes_of(record);
  if (record.output_fd >= 0) worker->captures.emplace(parts_.io, pipes, worker->name(), record.generation, record.pid);
  listen_to(*worker, channel_of(record));
  await(*worker);
  parts_.children.add(std::move(worker));
}

void Launcher::listen_to(MoldProcess& mold, ipc::Channel channel) {
  mold.line.emplace(parts_.io, std::move(channel), [this, generation = mold.generation](const ipc::Packet& packet) {
    hooks_.on_mold_packet(generation, packet);
  });
}

void Launcher::listen_to(WorkerProcess& worker, ipc::Channel channel) {
  worker.line.emplace(parts_.io, std::move(channel),
                      [this, slot = worker.slot](const ipc::Packet& packet) { hooks_.on_worker_packet(slot, packet); });
}

void Launcher::await(const MoldProcess& mold) {
  parts_.reaper.await(mold.pid, [this, generation = mold.generation](const os::ChildExit& exit) {
    hooks_.on_mold_exit(generation, exit);
  });
}

void Launcher::await(const WorkerProcess& worker) {
  parts_.reaper.await(worker.pid,
                      [this, slot = worker.slot](const os::ChildExit& exit) { hooks_.on_worker_exit(slot, exit); });
}

}  // namespace serval::master
