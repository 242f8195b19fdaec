#include "master/exits.hpp"

#include <memory>
#include <utility>

#include "os/signals.hpp"
#include "scoreboard/generations.hpp"

namespace serval::master {
namespace {

/// What a process said before it ended is told before its end.
template <class Process>
void hear_last_words(Process& process) {
  process.line->drain();
  if (process.captures) process.captures->drain();
}

}  // namespace

supervisor::Exit exit_of(const os::ChildExit& exit) {
  return {exit.signaled, exit.code, exit.core,
          exit.signaled ? os::signal_name(exit.code) : "exit code " + std::to_string(exit.code)};
}

std::vector<supervisor::LostRequest> lost_requests(const std::vector<scoreboard::RequestInProgress>& requests,
                                                   TimePoint now) {
  std::vector<supervisor::LostRequest> lost;
  for (const scoreboard::RequestInProgress& request : requests) {
    if (request.deadline <= now) continue;
    lost.push_back({request.method, request.target, request.request_id, in_milliseconds(now - request.started)});
  }
  return lost;
}

void Exits::mold_exited(int generation, const os::ChildExit& exit) {
  hear_last_words(*parts_.children.find_mold(generation));
  parts_.children.remove_mold(generation);
  parts_.tasks.on_mold_gone(generation);
  tell(exit.pid, exit_of(exit));
}

void Exits::worker_exited(int slot, const os::ChildExit& exit) {
  hear_last_words(*parts_.children.find_worker(slot));
  const std::unique_ptr<WorkerProcess> worker = parts_.children.take_worker(slot);
  parts_.stacks.on_exit(slot, worker->pid);
  parts_.profiles.on_exit(slot, worker->pid);
  supervisor::Exit told = exit_of(exit);
  const MemoryVerdict memory = parts_.memory.remove(slot, exit);
  told.oom = memory.oom;
  told.above_hard = memory.above_hard;
  told.requests = lost_requests(scoreboard::read_requests(parts_.scoreboard, slot), Clock::now());
  const scoreboard::SlotReading last = scoreboard::read_slot(parts_.scoreboard, slot);
  told.waiting = last.waiting;
  told.connections = last.connections;
  scoreboard::end_life(parts_.scoreboard, slot, worker->generation, told.requests.size());
  tell(exit.pid, std::move(told));
}

void Exits::tell(pid_t pid, supervisor::Exit exit) {
  tell_(supervisor::ChildExited{pid, std::move(exit)});
  parts_.generations.forget_unused(parts_.supervisor.snapshot().generation, parts_.children);
}

}  // namespace serval::master
