#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "config/load.hpp"
#include "os/spawn.hpp"

/// What a program is started with.
namespace serval::master {

/// What an instance is told by its environment.
struct ProgramWords {
  std::string name{};                  ///< empty: it is no program
  int number = 0;                      ///< -1: it is no instance
  std::vector<std::string> sockets{};  ///< a name for each that it gets from descriptor 3 on; ':' cannot be in one
  int ready_fd = -1;                   ///< -1: none
  std::string notify_address{};        ///< empty: none
};

/// "KEY=VALUE" each: ours without what is said to us alone, then the program's own, then serval's words. LISTEN_PID and
/// SERVAL_EXEC_PID are not in it: they come with the pid (os::SpawnTraits). Pure.
std::vector<std::string> program_environment(const config::Environment& ours, const config::Program& program,
                                             const ProgramWords& words);

/// The path of `command`'s program: one with a slash from the working directory, else by PATH in that environment. The
/// error says where it has been looked for.
Result<std::string> find_command(const config::Program& program, const std::vector<std::string>& environment);

/// User, umask, limits and so on; looks up names. The error names the option.
Result<os::SpawnTraits> traits_of(const config::Program& program, const config::Server& server);

}  // namespace serval::master
