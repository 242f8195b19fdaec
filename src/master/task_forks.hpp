#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "base/result.hpp"
#include "ipc/task_order.hpp"
#include "master/children.hpp"
#include "os/unique_fd.hpp"

namespace serval::master {

/// Has molds fork tasks, and believes no more of their answers than can be checked. A task waits until it is told to
/// begin, so that none runs of which nobody knows. Borrows the children; one thread.
class TaskForks {
 public:
  /// `answer`: the pid of a child of ours that is nothing else, and the end of the socket by which it is told to begin;
  /// or why there is none. May ask for another fork.
  using Answer = std::function<void(int id, Result<pid_t> pid, UniqueFd begin)>;
  TaskForks(Children& children, Answer answer) : children_(children), answer_(std::move(answer)) {}
  TaskForks(const TaskForks&) = delete;
  TaskForks& operator=(const TaskForks&) = delete;

  /// `fds`: what the order says that comes along, in its order. Answered later, in any case but an error.
  Result<void> ask(int generation, int id, const ipc::TaskOrder& order, std::vector<UniqueFd> fds);
  /// False: the mold owes no such answer.
  bool on_answer(int generation, std::uint32_t id, Result<pid_t> pid);
  /// With its mold goes what it has not answered: a child of it all the same finds its socket closed and leaves.
  void on_mold_gone(int generation);

 private:
  struct Pending {
    int generation = 0;
    bool asked = false;
    UniqueFd begin;
    std::vector<UniqueFd> fds;  ///< until they have been sent
  };
  void send(int generation);
  void finish(int id, Result<pid_t> pid);

  Children& children_;
  const Answer answer_;
  std::map<int, Pending> pending_;  ///< by id
};

}  // namespace serval::master
