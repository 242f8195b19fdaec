#include "ipc/exec_mold.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "base/errno_text.hpp"
#include "os/spawn.hpp"

namespace serval::ipc {

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
  const auto keep = [&what](int fd) {
    if (fd > 2) what.fds.emplace_back(fd, fd);
  };
  keep(heritage_fd->get());
  keep(heritage.orders_fd);
  keep(heritage.reports_fd);
  keep(heritage.life_fd);
  keep(heritage.scoreboard_fd);
  keep(heritage.log_fd);
  keep(heritage.access_fd);
  keep(heritage.lobby_entry_fd);
  keep(heritage.lobby_exit_fd);
  for (const Listener& listener : heritage.listeners) keep(listener.fd);
  return os::spawn(what);
}

}  // namespace serval::ipc
