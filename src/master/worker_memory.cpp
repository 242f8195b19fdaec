#include "master/worker_memory.hpp"

#include <csignal>
#include <map>
#include <utility>

#include "base/log.hpp"

namespace serval::master {

/// A worker that is above the hard ceiling is killed for that, and not for want of memory elsewhere.
MemoryVerdict memory_verdict(const os::ChildExit& exit, bool oom_killer_was_here, const os::WorkerCgroups::End& group) {
  const bool killed = exit.signaled && exit.code == SIGKILL;
  const bool above_hard = group.killed && group.over_max;
  return {.oom = killed && (oom_killer_was_here || group.killed) && !above_hard, .above_hard = above_hard};
}

WorkerMemory::WorkerMemory(const config::Memory& memory)
    : memory_(memory), measure_(memory), oom_kills_(oom_.read().value_or(0)) {}

void WorkerMemory::take_cgroups() {
  if (memory_.hard == 0) return;
  auto taken = os::WorkerCgroups::take(memory_.hard);
  if (taken) cgroups_.emplace(std::move(*taken));
  log::debug(taken ? "the kernel keeps memory.hard for each worker" : "the kernel does not keep memory.hard",
             {{"why", taken ? "" : taken.error()}});
}

void WorkerMemory::resume(const CgroupsRecord& record) {
  if (record.folder.empty()) return;
  std::map<int, os::WorkerCgroups::Events> seated;
  for (const auto& [slot, events] : record.seated) seated[slot] = {events.first, events.second};
  cgroups_.emplace(record.folder, memory_.hard, std::move(seated));
}

CgroupsRecord WorkerMemory::record() const {
  CgroupsRecord record;
  if (!cgroups_) return record;
  record.folder = cgroups_->folder();
  for (const auto& [slot, events] : cgroups_->seated()) record.seated[slot] = {events.oom, events.oom_kill};
  return record;
}

void WorkerMemory::use(const config::Memory& memory) {
  memory_ = memory;
  measure_.use(memory);
  if (cgroups_) cgroups_->limit(memory.hard);
}

void WorkerMemory::add(int slot, int known_as, pid_t pid) {
  if (!cgroups_) return;
  if (auto seated = cgroups_->seat(slot, pid); !seated)
    log::warning("worker without a cgroup", {{"slot", known_as}, {"why", seated.error()}});
}

/// Only a SIGKILL can be the OOM killer's, so the counter is left alone until one comes.
MemoryVerdict WorkerMemory::remove(int slot, const os::ChildExit& exit) {
  const os::WorkerCgroups::End group = cgroups_ ? cgroups_->leave(slot) : os::WorkerCgroups::End{};
  const bool killed = exit.signaled && exit.code == SIGKILL;
  return memory_verdict(exit, killed && oom_killer_was_here(), group);
}

/// Since the last time that we asked.
bool WorkerMemory::oom_killer_was_here() {
  const std::uint64_t kills = oom_.read().value_or(oom_kills_);
  return std::exchange(oom_kills_, kills) < kills;
}

}  // namespace serval::master
