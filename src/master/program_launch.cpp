#include "master/program_launch.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>

#include "base/errno_text.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "config/program_values.hpp"
#include "config/programs.hpp"
#include "os/process_tree.hpp"

namespace serval::master {
namespace {

/// Said by our own service manager to us.
constexpr std::string_view kOurs[] = {"NOTIFY_SOCKET", "LISTEN_FDS",   "LISTEN_PID", "LISTEN_FDNAMES",
                                      "WATCHDOG_USEC", "WATCHDOG_PID", "FDSTORE",    "MAINPID"};

std::string value_of(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string& variable : environment) {
    if (variable.size() > name.size() && variable.starts_with(name) && variable[name.size()] == '=')
      return variable.substr(name.size() + 1);
  }
  return {};
}

}  // namespace

std::vector<std::string> program_environment(const config::Environment& ours, const config::Program& program,
                                             const ProgramWords& words) {
  std::map<std::string, std::string> variables(ours.begin(), ours.end());
  for (const std::string_view name : kOurs) variables.erase(std::string(name));
  // By another serval, of which this one is a program.
  for (const std::string_view name : config::kGivenToPrograms) variables.erase(std::string(name));
  for (const auto& [name, value] : program.environment()) variables[name] = value;
  variables.erase("LISTEN_PID");
  variables.erase(os::kExecPidVariable);
  if (!words.name.empty()) variables["SERVAL_PROGRAM"] = words.name;
  if (words.number >= 0) variables["SERVAL_INSTANCE"] = std::to_string(words.number);
  if (!words.sockets.empty()) {
    variables["LISTEN_FDS"] = std::to_string(words.sockets.size());
    variables["LISTEN_FDNAMES"] = join(words.sockets, ":");
  }
  if (words.ready_fd >= 0) variables["SERVAL_READY_FD"] = std::to_string(words.ready_fd);
  if (!words.notify_address.empty()) variables["NOTIFY_SOCKET"] = words.notify_address;
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  return environment;
}

Result<std::string> find_command(const config::Program& program, const std::vector<std::string>& environment) {
  const std::string& name = program.command.front();
  const std::string variable = value_of(environment, "PATH");
  const std::string searched = variable.empty() ? std::string(os::kUsualPath) : variable;
  if (auto path = os::find_program(name, searched, program.working_directory)) return *std::move(path);
  if (name.find('/') == std::string::npos) {
    return Error{"cannot start " + name + ": it is not in PATH (" + searched +
                 "); a path with a slash is taken as it is"};
  }
  const std::string path = std::filesystem::path(program.working_directory) / name;
  return Error{"cannot start " + path + ": " +
               (::access(path.c_str(), F_OK) == 0 ? "it is not executable" : errno_text())};
}

Result<os::SpawnTraits> traits_of(const config::Program& program, const config::Server& server) {
  os::SpawnTraits traits{.own_session = true, .nice = program.nice, .dies_with_us = true};
  const std::string& user = program.user.empty() ? server.user : program.user;
  const std::string& group = program.user.empty() && program.group.empty() ? server.group : program.group;
  if (!user.empty() || !group.empty()) {
    auto identity = os::find_identity(user, group);
    if (!identity) return Error{identity.error()};
    if (::geteuid() != 0 && (identity->uid != ::geteuid() || identity->gid != ::getegid()))
      return Error{"only root can start it as user " + quoted(user.empty() ? "" : user) + ": start serval as root"};
    traits.groups = os::supplementary_groups(*identity);
    traits.identity = *std::move(identity);
  }
  const auto umask = parse_mode(program.umask);
  traits.umask = umask && !program.umask.empty() ? static_cast<mode_t>(*umask) : static_cast<mode_t>(server.umask);
  for (const auto& [resource, limit] : program.limits) {
    const auto number = config::resource_number(resource);
    const auto value = config::parse_limit(limit);
    if (number && value) traits.limits.emplace_back(*number, *value);
  }
  struct stat status = {};
  if (::stat(program.working_directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    return Error{"its working_directory " + program.working_directory + " is no folder"};
  traits.pid_variables = {os::kExecPidVariable};
  if (!program.listen.empty()) traits.pid_variables.emplace_back("LISTEN_PID");
  return traits;
}

}  // namespace serval::master
