#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "ipc/messages.hpp"
#include "ipc/reports.hpp"
#include "master/children.hpp"
#include "master/generations.hpp"
#include "master/stack_names.hpp"
#include "master/tell.hpp"
#include "supervisor/actions.hpp"

namespace serval::master {

/// Takes a line for the log that has been found out later than what it is about.
using Report = std::function<void(supervisor::Log)>;

/// The worker that a line is about.
struct Reporter {
  int slot = 0;  ///< its number for users
  pid_t pid = 0;
};

/// `frames`: the names of the report's, none if the thread did not answer. Pure.
supervisor::Log timed_out_line(const Reporter& worker, const ipc::TimeoutReport& report,
                               const std::vector<std::string>& frames);
/// `overwritten`: the library, if it was written into after it had been loaded; or empty. Pure.
supervisor::Log crashed_line(const Reporter& worker, const ipc::CrashReport& report,
                             const std::vector<std::string>& frames, const std::string& overwritten);

/// Workers report requests that timed out and crashes: has the stacks named, and then the log says where it was.
/// Borrows all; one thread, that of StackNames.
class WorkerReports {
 public:
  WorkerReports(const Children& children, const Generations& generations, StackNames& names, Tell tell, Report report)
      : children_(children),
        generations_(generations),
        names_(names),
        tell_(std::move(tell)),
        report_(std::move(report)) {}

  void on_timed_out(const WorkerProcess& worker, const ipc::TimedOut& message);
  void on_crashed(const WorkerProcess& worker, const ipc::Crashed& message);

 private:
  const Children& children_;
  const Generations& generations_;
  StackNames& names_;
  const Tell tell_;
  const Report report_;
};

}  // namespace serval::master
