#include "os/spawn.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

// This, optional and type_traits: 1.81's Process uses them without including them.
#include <boost/asio/detail/throw_error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/optional.hpp>
#include <boost/type_traits.hpp>

#include <boost/process/v2/default_launcher.hpp>
#include <boost/process/v2/process.hpp>

#include "base/errno_text.hpp"
#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "os/signals.hpp"
#include "os/spawned.hpp"
#include "os/unique_fd.hpp"
#include "os/wait.hpp"

namespace serval::os {
namespace process = boost::process::v2;
namespace {

constexpr int kLastStandardFd = 2;
constexpr std::size_t kPidDigits = 10;

boost::system::error_code last_error() { return {errno, boost::system::system_category()}; }

/// What happens between fork and exec. An initializer of our own instead of posix::bind_fd and process_start_dir:
/// 1.81's bind_fd::on_setup returns nothing, and mapping 3 -> 4 and 4 -> 3 one after the other loses one. Nothing here
/// allocates.
struct ChildSetup {
  explicit ChildSetup(const Spawn& spawn) : what(spawn), moved(spawn.fds.size(), -1) {
    for (const std::string& name : what.traits.pid_variables)
      pid_variables.push_back(name + "=" + std::string(kPidDigits, ' '));
  }

  const Spawn& what;
  std::vector<int> moved;
  std::vector<std::string> pid_variables;  ///< the environment leads into them; the child writes its pid there
  const pid_t parent = ::getpid();

  template <class Launcher, class... Rest>
  boost::system::error_code on_setup(Launcher& launcher, const Rest&...) const {
    for (const auto& [ours, theirs] : what.fds) launcher.fd_whitelist.push_back(theirs);
    return {};
  }

  template <class Launcher, class... Rest>
  boost::system::error_code on_exec_setup(Launcher&, const Rest&...) {
    restore_default_signals();
    if (!take_traits()) return last_error();
    if (!what.working_directory.empty() && ::chdir(what.working_directory.c_str()) != 0) return last_error();
    // Everything closes at exec but what is mapped below. Kernels before 5.11 do not know this: there, O_CLOEXEC
    // everywhere has to do.
    ::syscall(SYS_close_range, kLastStandardFd + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    return map_fds();
  }

  /// The launcher would call exit here and run the atexit handlers of this copy of our process.
  template <class... Rest>
  void on_exec_error(const Rest&...) const {
    ::_exit(exit_code::cannot_start);
  }

 private:
  /// Limits and niceness first: they may need the rights that the identity gives away.
  bool take_traits() {
    const SpawnTraits& traits = what.traits;
    if (traits.own_session && ::setsid() < 0) return false;
    if (!take_limits(traits.limits) || !add_nice(traits.nice)) return false;
    if (traits.identity && !become(*traits.identity, traits.groups)) return false;
    if (traits.umask) ::umask(*traits.umask);
    if (traits.dies_with_us) {
      if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return false;
      if (::getppid() != parent) ::_exit(exit_code::cannot_start);  // it has ended before the call
    }
    for (std::string& variable : pid_variables) write_pid(variable);
    return true;
  }

  static bool become(const Identity& identity, const std::vector<gid_t>& groups) {
    const bool same = identity.uid == ::geteuid() && identity.gid == ::getegid() && ::geteuid() != 0;
    if (same) return true;
    return ::setgroups(groups.size(), groups.data()) == 0 &&
           ::setresgid(identity.gid, identity.gid, identity.gid) == 0 &&
           ::setresuid(identity.uid, identity.uid, identity.uid) == 0;
  }

  /// Left-aligned behind the '=', the rest cut off.
  static void write_pid(std::string& variable) {
    char digits[kPidDigits];
    std::size_t count = 0;
    for (pid_t rest = ::getpid(); rest > 0 && count < kPidDigits; rest /= 10)
      digits[count++] = static_cast<char>('0' + rest % 10);
    char* at = variable.data() + variable.size() - kPidDigits;
    while (count > 0) *at++ = digits[--count];
    *at = '\0';
  }

  /// First out of the way, above every target, then to their places.
  boost::system::error_code map_fds() {
    int above = kLastStandardFd;
    for (const auto& [ours, theirs] : what.fds) above = std::max(above, theirs);
    for (std::size_t i = 0; i < what.fds.size(); ++i) {
      moved[i] = ::fcntl(what.fds[i].first, F_DUPFD_CLOEXEC, above + 1);
      if (moved[i] < 0) return last_error();
    }
    for (std::size_t i = 0; i < what.fds.size(); ++i) {
      if (::dup2(moved[i], what.fds[i].second) < 0) return last_error();
    }
    return {};
  }
};

/// Keeps the numbers that the child wants free of the launcher's own error pipe, which a dup2 onto it would break.
class TargetsTaken {
 public:
  explicit TargetsTaken(const Spawn& what) {
    for (const auto& [ours, theirs] : what.fds) {
      if (::fcntl(theirs, F_GETFD) >= 0) continue;
      if (::fcntl(ours, F_DUPFD_CLOEXEC, theirs) == theirs) taken_.emplace_back(theirs);
    }
  }

 private:
  std::vector<UniqueFd> taken_;
};

/// Between fork and restore_default_signals a signal would run our handlers in the child: all are held back meanwhile.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

std::vector<const char*> as_envp(const std::vector<std::string>& environment, const std::vector<std::string>& more) {
  std::vector<const char*> envp;
  for (const auto* variables : {&environment, &more}) {
    for (const std::string& variable : *variables) envp.push_back(variable.c_str());
  }
  envp.push_back(nullptr);
  return envp;
}

Error cannot_start(const Spawn& what, const std::string& why) {
  return Error{"cannot start " + (what.called.empty() ? what.program : what.called) + ": " + why};
}

pid_t started(pid_t pid) {
  remember_spawned(pid);
  return pid;
}

/// The launcher leaves a child that failed to exec as a zombie.
void reap(pid_t pid) {
  if (pid > 0) wait_for(pid);
}

}  // namespace

Result<pid_t> spawn(const Spawn& what) {
  for (const auto& [ours, theirs] : what.fds) {
    if (::fcntl(ours, F_GETFD) < 0) {
      return cannot_start(what, "descriptor " + std::to_string(ours) + " for it: " + errno_text());
    }
  }
  const TargetsTaken targets(what);
  ChildSetup setup(what);
  process::posix::default_launcher launcher;
  std::vector<const char*> envp;
  if (what.environment) {
    envp = as_envp(*what.environment, setup.pid_variables);
    launcher.env = envp.data();
  }
  const SignalsBlocked guard;
  try {
    boost::asio::io_context unused;  // the launcher wants an executor; nothing ever runs on it
    boost::system::error_code error;
    auto child = launcher(unused.get_executor(), error, what.program, what.arguments, setup);
    if (error) {
      reap(launcher.pid);
      return cannot_start(what, error.message());
    }
    child.detach();
    return started(launcher.pid);
  } catch (const std::exception& failure) {
    if (launcher.pid == 0) ::_exit(exit_code::cannot_start);  // we are the child, before its exec
    // The program runs, and only a pidfd for it could not be had (pidfd_open is missing or forbidden): we do not need
    // one.
    if (launcher.pid > 0) return started(launcher.pid);
    return cannot_start(what, failure.what());
  }
}

Result<void> become(const std::string& program, const std::vector<std::string>& arguments,
                    const std::vector<int>& fds) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  hold_signals();  // there are no handlers between the exec and those of the new program
  for (const int fd : fds) ::fcntl(fd, F_SETFD, 0);
  ::execv(program.c_str(), argv.data());
  const std::string why = errno_text();
  for (const int fd : fds) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  let_signals_in();
  return Error{why};
}

std::optional<std::string> find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  return find_program(name, path == nullptr ? kUsualPath : std::string_view(path), "");
}

std::optional<std::string> find_program(const std::string& name, std::string_view path, const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const auto found = [&ignored](const fs::path& place) -> std::optional<std::string> {
    const fs::path absolute = fs::absolute(place, ignored);
    const bool runs = ::access(absolute.c_str(), X_OK) == 0 && fs::is_regular_file(absolute, ignored);
    return runs ? std::optional(absolute.string()) : std::nullopt;
  };
  if (name.find('/') != std::string::npos) return found(fs::path(folder) / name);
  for (const std::string_view where : split(path, ':')) {
    if (auto place = found(fs::path(folder) / (where.empty() ? "." : where) / name)) return place;
  }
  return std::nullopt;
}

std::vector<std::string> own_command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

Result<std::string> own_program() {
  std::string path(4096, '\0');
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  if (size < 0) return Error{"cannot read /proc/self/exe: " + errno_text()};
  path.resize(static_cast<std::size_t>(size));
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
  return path;
}

}  // namespace serval::os
