#include "ipc/exec_admin.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/errno_text.hpp"
#include "config/load.hpp"
#include "os/spawn.hpp"

namespace serval::ipc {
namespace {

/// Beginnings of names. The last ones are for a serval that was built to look for its own faults.
constexpr std::array<std::string_view, 9> kPassedOn = {"OTEL_", "TZ",    "LANG",   "LC_",  "SSL_CERT_",
                                                       "ASAN_", "TSAN_", "UBSAN_", "LSAN_"};

std::vector<std::string> own_part_of_environment() {
  std::vector<std::string> result;
  for (const auto& [name, value] : config::process_environment()) {
    if (std::any_of(kPassedOn.begin(), kPassedOn.end(),
                    [&](std::string_view begin) { return name.starts_with(begin); }))
      result.push_back(name + "=" + value);
  }
  return result;
}

}  // namespace

Result<pid_t> exec_admin(const std::string& program, const Heritage& heritage) {
  auto heritage_fd = write_heritage(heritage);
  if (!heritage_fd) return Error{heritage_fd.error()};
  const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing) return Error{std::string("cannot open /dev/null: ") + errno_text()};
  os::Spawn what;
  what.program = program;
  what.arguments = {"admin", std::to_string(heritage_fd->get())};
  what.environment = own_part_of_environment();
  what.fds = {{nothing.get(), 0}, {nothing.get(), 1}, {heritage_fd->get(), heritage_fd->get()}};
  for (const int fd : heritage.fds()) what.fds.emplace_back(fd, fd);
  return os::spawn(what);
}

}  // namespace serval::ipc
