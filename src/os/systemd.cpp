#include "os/systemd.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace serval::os {
namespace {

constexpr int kFirstFd = 3;  // SD_LISTEN_FDS_START

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::optional<int> read_number(const std::string& digits) {
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

/// Takes the text up to the next colon off the front.
std::string take_name(std::string& names) {
  const std::size_t colon = names.find(':');
  std::string name = names.substr(0, colon);
  names.erase(0, colon == std::string::npos ? names.size() : colon + 1);
  return name.empty() ? "unknown" : name;
}

}  // namespace

std::vector<NamedSocket> take_listen_fds() {
  const auto pid = read_number(variable("LISTEN_PID"));
  const int count = read_number(variable("LISTEN_FDS")).value_or(0);
  std::string names = variable("LISTEN_FDNAMES");
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);

  std::vector<NamedSocket> sockets;
  if (pid != ::getpid()) return sockets;
  for (int fd = kFirstFd; fd - kFirstFd < count; ++fd) {
    std::string name = take_name(names);
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags < 0) break;  // fewer than LISTEN_FDS claims
    ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    sockets.push_back({std::move(name), UniqueFd(fd)});
  }
  return sockets;
}

bool notify(std::string_view state) {
  const std::string target = variable("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (target.size() < 2 || target.size() >= sizeof address.sun_path) return false;
  if (target[0] != '/' && target[0] != '@') return false;  // vsock: is for whole virtual machines
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, target.data(), target.size());
  if (target[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + target.size());

  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return false;
  ssize_t sent = 0;
  do {
    sent = ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&address), size);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(state.size());
}

}  // namespace serval::os
