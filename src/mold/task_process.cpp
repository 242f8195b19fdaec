#include "mold/task_process.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/errno_text.hpp"
#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "ipc/task_order.hpp"
#include "os/death_with_parent.hpp"
#include "os/own_fds.hpp"
#include "os/process_claim.hpp"
#include "os/process_title.hpp"
#include "os/process_tree.hpp"
#include "os/restraints.hpp"
#include "os/stop_signal.hpp"
#include "os/systemd.hpp"

namespace serval::mold {
namespace {

/// The order, and the descriptors behind it by what they are for.
struct Task {
  ipc::TaskOrder order;
  UniqueFd go;
  UniqueFd output, error, ready;
  std::vector<UniqueFd> sockets;
};

Result<Task> receive(TaskFds fds) {
  Task task;
  auto order = ipc::read_task_order(fds[0].get());
  if (!order) return Error{order.error()};
  task.order = *std::move(order);
  std::size_t next = 1;
  const auto take = [&] { return next < fds.size() ? os::among_own(std::move(fds[next++])) : UniqueFd(); };
  task.go = take();
  if (task.order.captured) {
    task.output = take();
    task.error = take();
  }
  if (task.order.tells_ready) task.ready = take();
  for (int i = 0; i < task.order.sockets; ++i) task.sockets.push_back(take());
  const bool whole = (!task.order.captured || task.error) && (!task.order.tells_ready || task.ready) &&
                     (task.sockets.empty() || task.sockets.back());
  if (!whole) return Error{"the order for a task came without its descriptors: too many open files?"};
  return task;
}

/// False: the master does not want it any more, or is gone.
bool wait_for_go(int fd) {
  char said = 0;
  ssize_t size = -1;
  do {
    size = ::read(fd, &said, 1);
  } while (size < 0 && errno == EINTR);
  return size == 1;
}

/// As os/spawn has it for programs.
Result<void> take_traits(const ipc::TaskOrder& order) {
  if (!os::take_limits(order.limits)) return Error{"a limit (limits) cannot be set: " + errno_text()};
  if (!os::add_nice(order.nice)) return Error{"cannot set nice: " + errno_text()};
  ::umask(static_cast<mode_t>(order.umask));
  if (!order.working_directory.empty() && ::chdir(order.working_directory.c_str()) != 0)
    return Error{"cannot change to " + order.working_directory + ": " + errno_text()};
  return {};
}

/// Whether what has this number is the mold's /dev/null (keep_socket_numbers), or nothing.
bool is_free(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return true;
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

Result<void> place_sockets(std::vector<UniqueFd>& sockets) {
  int number = os::kFirstPassedFd;
  for (UniqueFd& socket : sockets) {
    if (!is_free(number)) {
      return Error{"descriptor " + std::to_string(number) +
                   ", where a socket has to be (listen), is a file of the app: " +
                   "it was opened under a number that had been closed"};
    }
    if (::dup2(socket.get(), number++) < 0) return Error{"cannot take over a socket: " + errno_text()};
    socket.reset();
  }
  return {};
}

void set_environment(const ipc::TaskOrder& order, bool has_sockets) {
  for (const auto& [name, value] : order.variables) ::setenv(name.c_str(), value.c_str(), 1);
  const std::string pid = std::to_string(::getpid());
  ::setenv(os::kExecPidVariable, pid.c_str(), 1);
  if (has_sockets) ::setenv("LISTEN_PID", pid.c_str(), 1);
}

void close_what_is_the_molds(const ipc::Heritage& heritage) {
  for (const int fd : {heritage.life_fd, heritage.scoreboard_fd, heritage.access_fd, heritage.lobby_entry_fd,
                       heritage.lobby_exit_fd, heritage.spans_fd, heritage.log_fd}) {
    if (fd > STDERR_FILENO) ::close(fd);
  }
  for (const ipc::Listener& listener : heritage.listeners) ::close(listener.fd);
}

}  // namespace

void keep_socket_numbers(int count) {
  for (int number = os::kFirstPassedFd; number < os::kFirstPassedFd + count; ++number) {
    if (::fcntl(number, F_GETFD) >= 0) continue;
    UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (nothing.get() == number) {
      static_cast<void>(nothing.release());
    } else if (nothing) {
      ::dup3(nothing.get(), number, O_CLOEXEC);
    }
  }
}

/// Signals are listened for before the master can send any.
int run_task(const ipc::Heritage& heritage, app::App& app, scoreboard::Memory& scoreboard, ipc::Channel mold_channel,
             TaskFds fds) {
  os::claim_process();
  auto task = receive(std::move(fds));
  { const scoreboard::Memory unmapped = std::move(scoreboard); }
  mold_channel.close();
  if (!task) {
    log::error("a task cannot be started", {{"why", task.error()}});
    return exit_code::cannot_start;
  }
  const ipc::TaskOrder& order = task->order;
  const auto listens = os::listen_for_stop({order.stop_signal, SIGTERM}, false);
  ::setsid();
  // Once the master knows of us it is our parent, and not the process between us and the mold.
  if (!wait_for_go(task->go.get()) || !os::die_with_parent(heritage.master_pid)) return exit_code::ok;
  task->go.reset();

  if (task->output) ::dup2(task->output.get(), STDOUT_FILENO);
  if (task->error) ::dup2(task->error.get(), STDERR_FILENO);
  task->output.reset();
  task->error.reset();
  os::fill_standard_fds();
  const std::string name = order.program + "[" + std::to_string(order.number) + "]";
  // Through the pipe, as all that it prints: nobody could tell it that log files are opened anew.
  auto settings = ipc::log_settings(heritage.config.log, STDERR_FILENO);
  settings.bare = order.captured;
  if (settings.bare) settings.format = log::Format::text;
  log::start(settings, name, heritage.generation);
  os::set_title("serval: " + name + " task:" + order.task + " gen=" + std::to_string(heritage.generation) + " " +
                heritage.config.server.name);
  close_what_is_the_molds(heritage);

  auto done = listens ? take_traits(order) : listens;
  if (done) done = place_sockets(task->sockets);
  set_environment(order, !task->sockets.empty());
  if (!done) {
    log::error("the task cannot be started", {{"task", order.task}, {"why", done.error()}});
    return exit_code::cannot_start;
  }
  const auto code = app.run_task(order.task, {.instance = order.number, .ready_fd = task->ready.get()});
  if (!code) log::error("the task cannot be started", {{"why", code.error()}});
  std::fflush(nullptr);  // the process leaves with _exit, and what the app printed last is often what explains the exit
  return code ? *code : exit_code::cannot_start;
}

}  // namespace serval::mold
