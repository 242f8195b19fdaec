#include "master/children.hpp"

#include <algorithm>
#include <utility>

#include "os/spawned.hpp"

namespace serval::master {
namespace {

/// An app may start and leave behind any number of processes while its mold owes us an answer.
constexpr std::size_t kMaxEarlyExits = 4096;

template <class Map, class Key>
auto* find_in(const Map& map, Key key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second.get();
}

template <class Map>
auto* find_pid(const Map& map, pid_t pid) {
  const auto found =
      std::find_if(map.begin(), map.end(), [pid](const auto& entry) { return entry.second->pid == pid; });
  return found == map.end() ? nullptr : found->second.get();
}

}  // namespace

void Children::add(std::unique_ptr<MoldProcess> mold) {
  const int generation = mold->generation;
  molds_[generation] = std::move(mold);
}

void Children::add(std::unique_ptr<WorkerProcess> worker) {
  const int slot = worker->slot;
  workers_[slot] = std::move(worker);
}

void Children::remove_mold(int generation) {
  molds_.erase(generation);
  std::erase_if(workers_, [generation](const auto& entry) {
    return entry.second->pid == 0 && entry.second->generation == generation;
  });
  forget_early_exits_if_over();
}

std::unique_ptr<WorkerProcess> Children::take_worker(int slot) { return std::move(workers_.extract(slot).mapped()); }

MoldProcess* Children::find_mold(int generation) const { return find_in(molds_, generation); }

WorkerProcess* Children::find_worker(int slot) const { return find_in(workers_, slot); }

MoldProcess* Children::mold_of(pid_t pid) const { return find_pid(molds_, pid); }

WorkerProcess* Children::worker_of(pid_t pid) const { return find_pid(workers_, pid); }

bool Children::any_of(int generation) const {
  const auto is_of = [generation](const auto& entry) { return entry.second->generation == generation; };
  return molds_.contains(generation) || std::any_of(workers_.begin(), workers_.end(), is_of);
}

pid_t Children::layout_of(int slot, int generation, pid_t pid) const {
  const WorkerProcess* worker = find_worker(slot);
  if (worker != nullptr && worker->pid == pid) return pid;
  const MoldProcess* mold = find_mold(generation);
  return mold != nullptr ? mold->pid : 0;
}

void Children::drain_captures() const {
  for (const auto& [generation, mold] : molds_) {
    if (mold->captures) mold->captures->drain();
  }
  for (const auto& [slot, worker] : workers_) {
    if (worker->captures) worker->captures->drain();
  }
}

std::string Children::why_no_worker(pid_t pid) const {
  if (os::is_spawned(pid) || mold_of(pid) != nullptr)
    return "serval has started that process itself, for something else";
  if (worker_of(pid) != nullptr) return "that process is another worker";
  if (!early_exits_.contains(pid) && !os::is_child(pid)) return "that process is no child of this server's master";
  return "";
}

void Children::note_early_exit(const os::ChildExit& exit) {
  if (forks_outstanding() && early_exits_.size() < kMaxEarlyExits) early_exits_.insert_or_assign(exit.pid, exit);
}

/// A pid that lives now is not the one that has been reaped before.
std::optional<os::ChildExit> Children::take_early_exit(pid_t pid) {
  const auto early = os::is_child(pid) ? decltype(early_exits_)::node_type() : early_exits_.extract(pid);
  forget_early_exits_if_over();
  return early ? std::optional(early.mapped()) : std::nullopt;
}

void Children::task_answered(int id) {
  tasks_.erase(id);
  forget_early_exits_if_over();
}

bool Children::forks_outstanding() const {
  return !tasks_.empty() ||
         std::any_of(workers_.begin(), workers_.end(), [](const auto& entry) { return entry.second->pid == 0; });
}

void Children::forget_early_exits_if_over() {
  if (!forks_outstanding()) early_exits_.clear();
}

}  // namespace serval::master
