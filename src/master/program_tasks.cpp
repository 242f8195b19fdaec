// Programs that are tasks of the app's library: a mold forks them, and from then on they are programs as any other.
#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "base/errno_text.hpp"
#include "base/log.hpp"
#include "config/program_values.hpp"
#include "master/programs.hpp"
#include "os/spawned.hpp"
#include "os/systemd.hpp"

namespace serval::master {
namespace {

/// What is added to the app's environment: the program's own, and serval's words.
std::map<std::string, std::string> variables_of(const config::Program& program, const ProgramWords& words) {
  std::map<std::string, std::string> variables;
  for (const std::string& variable : program_environment({}, program, words)) {
    const auto equals = variable.find('=');
    variables[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  return variables;
}

ipc::TaskOrder order_for(const supervisor::LaunchProgram& action, const os::Spawn& what, const ProgramWords& words) {
  ipc::TaskOrder order;
  order.task = config::parse_run(action.program.run).value();
  order.program = action.name;
  order.number = action.number;
  order.variables = variables_of(action.program, words);
  order.working_directory = action.program.working_directory;
  order.umask = what.traits.umask.value_or(022);
  order.nice = what.traits.nice;
  order.limits = what.traits.limits;
  order.stop_signal = config::stop_signal_number(action.program.stop_signal).value_or(SIGTERM);
  order.sockets = static_cast<int>(words.sockets.size());
  return order;
}

}  // namespace

/// `what` has the descriptors as a program would have them.
Result<void> Programs::ask_mold(const supervisor::LaunchProgram& action, Forking forking, const os::Spawn& what,
                                const ProgramWords& words, UniqueFd ready) {
  ipc::TaskOrder order = order_for(action, what, words);
  std::vector<UniqueFd> fds;
  if (forking.pipes.output_write) {
    order.captured = true;
    fds.push_back(std::move(forking.pipes.output_write));
    fds.push_back(std::move(forking.pipes.error_write));
  }
  if (ready) {
    order.tells_ready = true;
    fds.push_back(std::move(ready));
  }
  for (const auto& [ours, theirs] : what.fds) {
    if (theirs < os::kFirstPassedFd || theirs >= os::kFirstPassedFd + order.sockets) continue;
    UniqueFd copy(::fcntl(ours, F_DUPFD_CLOEXEC, 0));
    if (!copy) return Error{"cannot hand over a socket: " + errno_text()};
    fds.push_back(std::move(copy));
  }
  forking_.insert_or_assign(action.id, std::move(forking));  // the answer may come before this returns
  const auto asked = parts_.tasks.ask(action.generation, action.id, order, std::move(fds));
  if (!asked) forking_.erase(action.id);
  return asked;
}

void Programs::on_forked(int id, Result<pid_t> pid, UniqueFd begin_by) {
  Forking forking = std::move(forking_.extract(id).mapped());
  if (!pid) return tell_(supervisor::ProgramNotStarted{id, pid.error()});
  ProgramProcess& one = *forking.process;
  one.pid = *pid;
  const bool captured = static_cast<bool>(forking.pipes.output_read);
  if (captured) capture(one, forking.pipes, std::move(forking.file));
  os::remember_spawned(one.pid);
  begin(std::move(forking.process), forking.program);
  if (::send(begin_by.get(), "g", 1, MSG_NOSIGNAL) < 0 && errno != EPIPE)
    log::warning("a task was not told to begin", {{"program", one.name}, {"why", errno_text()}});
  if (const auto early = parts_.children.take_early_exit(*pid)) {
    os::forget_spawned(*pid);
    parts_.reaper.deliver(*early);
  }
}

}  // namespace serval::master
