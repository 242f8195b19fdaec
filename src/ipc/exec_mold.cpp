#include "ipc/exec_mold.hpp"

#include <fcntl.h>

#include <cerrno>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/errno_text.hpp"
#include "config/load.hpp"
#include "os/spawn.hpp"

namespace serval::ipc {

namespace {

/// Ours, with `variables` in place of those of the same names. They are there from the exec on: the dynamic linker and
/// the C library look at some of them (LD_PRELOAD, MALLOC_ARENA_MAX, GLIBC_TUNABLES: ld.so(8), mallopt(3)) before a
/// program can set anything.
std::vector<std::string> environment_with(const std::map<std::string, std::string>& variables) {
  auto environment = config::process_environment();
  for (const auto& [name, value] : variables) environment.insert_or_assign(name, value);
  std::vector<std::string> result;
  for (const auto& [name, value] : environment) result.push_back(name + "=" + value);
  return result;
}

}  // namespace

Result<pid_t> exec_mold(const std::string& program, const Heritage& heritage, const StandardStreams& streams) {
  auto heritage_fd = write_heritage(heritage);
  if (!heritage_fd) return Error{heritage_fd.error()};
  const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!nothing) return Error{std::string("cannot open /dev/null: ") + errno_text()};

  os::Spawn what;
  what.program = program;
  what.arguments = {"mold", std::to_string(heritage_fd->get())};
  what.fds = {{nothing.get(), 0}};
  if (streams.output >= 0) what.fds.emplace_back(streams.output, 1);
  if (streams.error >= 0) what.fds.emplace_back(streams.error, 2);
  what.environment = environment_with(heritage.config.app.environment());
  what.fds.emplace_back(heritage_fd->get(), heritage_fd->get());
  for (const int fd : heritage.fds()) what.fds.emplace_back(fd, fd);
  return os::spawn(what);
}

}  // namespace serval::ipc
