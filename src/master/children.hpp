#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "master/processes.hpp"
#include "os/wait.hpp"

namespace serval::master {

/// The molds and workers that live, and which of them a process or a packet belongs to.
class Children {
 public:
  using Molds = std::map<int, std::unique_ptr<MoldProcess>>;      ///< by generation
  using Workers = std::map<int, std::unique_ptr<WorkerProcess>>;  ///< by seat

  const Molds& molds() const { return molds_; }
  const Workers& workers() const { return workers_; }

  void add(std::unique_ptr<MoldProcess> mold);
  void add(std::unique_ptr<WorkerProcess> worker);
  /// With the workers that it was asked for and has not named: one that it forked all the same finds its channel closed
  /// and leaves.
  void remove_mold(int generation);
  std::unique_ptr<WorkerProcess> take_worker(int slot);
  void remove_worker(int slot) { workers_.erase(slot); }

  /// nullptr: there is none.
  MoldProcess* find_mold(int generation) const;
  WorkerProcess* find_worker(int slot) const;
  MoldProcess* mold_of(pid_t pid) const;
  WorkerProcess* worker_of(pid_t pid) const;
  /// A mold, or a worker that is there or asked for.
  bool any_of(int generation) const;

  /// A live process with the address space of this worker, which may have ended: itself, or its mold; 0: none.
  pid_t layout_of(int slot, int generation, pid_t pid) const;

  /// Logs what their output pipes hold: what has been read of a line is in our memory alone.
  void drain_captures() const;

  /// Why no worker of ours can be this process; empty: it may be one. A master that is root must not take the app's
  /// word for what to watch and to kill.
  std::string why_no_worker(pid_t pid) const;

  /// A mold owes an answer about this task, or has given it.
  void await_task(int id) { tasks_.insert(id); }
  void task_answered(int id);

  /// A child has ended that is not known: it may be a worker, or a task, of which its mold will tell.
  void note_early_exit(const os::ChildExit& exit);
  /// How this worker, which its mold has just named, ended before that; nullopt: it lives.
  std::optional<os::ChildExit> take_early_exit(pid_t pid);

 private:
  bool forks_outstanding() const;
  void forget_early_exits_if_over();

  Molds molds_;
  Workers workers_;
  std::set<int> tasks_;  ///< that have not been forked yet, as the supervisor calls them
  /// Only while forks are outstanding, so orphans do not pile up here.
  std::map<pid_t, os::ChildExit> early_exits_;
};

}  // namespace serval::master
