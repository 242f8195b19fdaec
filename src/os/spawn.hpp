#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "os/privileges.hpp"
#include "os/restraints.hpp"

namespace serval::os {

/// What a child is besides, before its program begins: for programs that are not ours.
struct SpawnTraits {
  bool own_session = false;            ///< setsid(2): a signal for our group or terminal does not reach it
  std::optional<Identity> identity{};  ///< drops to it, with `groups`
  std::vector<gid_t> groups{};
  std::optional<mode_t> umask{};
  int nice = 0;                        ///< added to ours
  Limits limits{};                     ///< of os/restraints.hpp
  bool dies_with_us = false;           ///< SIGKILL when this process ends (prctl(2), PR_SET_PDEATHSIG)
  std::vector<std::string> pid_variables{};  ///< are set to its own pid, which nobody knows before: LISTEN_PID
};

/// A program to start. Relative paths are relative to `working_directory` only after the change to it: give absolute
/// ones.
struct Spawn {
  std::string program;                                  ///< a path; PATH is not searched
  std::vector<std::string> arguments;                   ///< argv[1] and on
  /// Ours -> the number in the child, each number once; 0, 1 and 2 are inherited if not named.
  std::vector<std::pair<int, int>> fds;
  std::optional<std::vector<std::string>> environment;  ///< "KEY=VALUE" each; none: ours
  std::string working_directory;                        ///< empty: ours
  std::string called{};                                 ///< what errors call it; empty: by its path
  SpawnTraits traits{};
};

/// Starts it (fork and exec) and returns its pid. Nothing keeps the child: os/wait.hpp sees its end. The child gets
/// default signal dispositions, an empty signal mask, and no descriptor but `fds` and 0, 1, 2. A failing exec is an
/// error here ("cannot start /x/y: No such file or directory"), not a child that ends. No thread may be needed: any may
/// call.
Result<pid_t> spawn(const Spawn& what);

/// Becomes that program (execve(2)) with `arguments` (argv[0] and on), the same environment, and what is open of `fds`
/// besides what is not close-on-exec anyway. Signals wait from here on until the program lets them in
/// (os::let_signals_in). Returns only if it failed: nothing has changed, and the error says why.
Result<void> become(const std::string& program, const std::vector<std::string>& arguments, const std::vector<int>& fds);

/// This process's own program, whatever has become of its file since: a serval that was replaced on disk starts molds
/// of its own version.
inline constexpr const char* kOwnProgram = "/proc/self/exe";

/// The path that leads to `name` as a shell would find it: a name without a slash in PATH. Absolute, links not
/// followed, so that a link that is changed later leads elsewhere. None if there is no such program.
std::optional<std::string> find_program(const std::string& name);
/// Likewise as a process would that has this PATH and works in this folder; empty: in ours.
std::optional<std::string> find_program(const std::string& name, std::string_view path, const std::string& folder);
/// What is searched where there is no PATH.
inline constexpr std::string_view kUsualPath = "/usr/local/bin:/usr/bin:/bin";

/// The command line of this process, before this process changes what /proc shows of it (process_title.hpp).
std::vector<std::string> own_command_line();

/// The program that this process runs: the target of /proc/self/exe, without the " (deleted)" of a replaced binary.
Result<std::string> own_program();

}  // namespace serval::os
