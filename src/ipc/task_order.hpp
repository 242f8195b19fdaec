#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "os/restraints.hpp"
#include "os/unique_fd.hpp"

namespace serval::ipc {

/// What the process of a task is to be, as the master tells it. Written as JSON into a memory file: the environment may
/// be large. The mold passes it on unread, so that only the task has the values of its variables in its memory.
struct TaskOrder {
  std::string task;     ///< as the library has registered it
  std::string program;  ///< whose instance it is
  int number = 0;
  std::map<std::string, std::string> variables{};  ///< added to the app's environment
  std::string working_directory{};                 ///< relative to that of the mold; empty: that
  unsigned umask = 022;
  int nice = 0;                                         ///< added to the mold's
  os::Limits limits{};
  int stop_signal = 15;
  // Which descriptors come with the message after the first two, in this order:
  bool captured = false;     ///< standard output and error
  bool tells_ready = false;  ///< where it says that it is ready
  int sockets = 0;           ///< that it gets from number 3 on
};

/// A sealed memory file.
Result<UniqueFd> write_task_order(const TaskOrder& order);
Result<TaskOrder> read_task_order(int fd);

}  // namespace serval::ipc
