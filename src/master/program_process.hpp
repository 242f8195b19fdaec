#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "master/processes.hpp"
#include "master/watch.hpp"
#include "os/unique_fd.hpp"

namespace serval::master {

/// An instance of a program that lives, with the master's ends of what leads to it.
struct ProgramProcess {
  int id = 0;  ///< as the supervisor calls it
  std::string name;
  int number = 0;
  pid_t pid = 0;
  bool is_task = false;  ///< forked by a mold
  std::string title() const { return name + "[" + std::to_string(number) + "]"; }

  std::string log;  ///< the file of its output; empty: serval's log
  std::optional<Captures> captures;
  UniqueFd ready_fd;  ///< a line in it: it is ready; open until then
  std::optional<Watch> ready_watch;
  UniqueFd notify_fd;
  std::optional<Watch> notify_watch;
  pid_t prober = 0;    ///< that tries to connect to it; 0: none
  std::string status;  ///< what it says of itself (STATUS= of sd_notify(3))
};

}  // namespace serval::master
