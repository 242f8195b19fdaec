#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace serval::os {

/// A program to start. Relative paths are relative to `working_directory` only after the change to it: give absolute ones.
struct Spawn {
  std::string program;                                  ///< a path; PATH is not searched
  std::vector<std::string> arguments;                   ///< argv[1] and on
  std::vector<std::pair<int, int>> fds;                 ///< ours -> the number in the child, each number once; 0, 1 and 2 are inherited if not named
  std::optional<std::vector<std::string>> environment;  ///< "KEY=VALUE" each; none: ours
  std::string working_directory;                        ///< empty: ours
};

/// Starts it (fork and exec) and returns its pid. Nothing keeps the child: os/wait.hpp sees its end.
/// The child gets default signal dispositions, an empty signal mask, and no descriptor but `fds` and 0, 1, 2.
/// A failing exec is an error here ("cannot start /x/y: No such file or directory"), not a child that ends. No thread may be needed: any may call.
Result<pid_t> spawn(const Spawn& what);

/// The program that this process runs: the target of /proc/self/exe, without the " (deleted)" of a replaced binary.
Result<std::string> own_program();

}  // namespace serval::os
