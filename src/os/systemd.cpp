#include "os/systemd.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>

#include "os/fd_passing.hpp"

namespace serval::os {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

template <class Number>
std::optional<Number> read_number(const std::string& digits) {
  Number number = 0;
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

struct NotifyAddress {
  sockaddr_un address{};
  socklen_t size = 0;
};

std::optional<NotifyAddress> notify_address() {
  const std::string target = variable("NOTIFY_SOCKET");
  NotifyAddress to;
  if (target.size() < 2 || target.size() >= sizeof to.address.sun_path) return std::nullopt;
  if (target[0] != '/' && target[0] != '@') return std::nullopt;  // vsock: is for whole virtual machines
  to.address.sun_family = AF_UNIX;
  std::memcpy(to.address.sun_path, target.data(), target.size());
  if (target[0] == '@') to.address.sun_path[0] = '\0';
  to.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + target.size());
  return to;
}

bool send(std::string_view state, std::span<const int> fds = {}) {
  auto to = notify_address();
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!to || !socket) return false;
  iovec text{const_cast<char*>(state.data()), state.size()};
  msghdr message{};
  message.msg_name = &to->address;
  message.msg_namelen = to->size;
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  return send_with_fds(socket.get(), message, fds) == static_cast<ssize_t>(state.size());
}

constexpr std::size_t kMaxFdName = 255;  // FDNAME_MAX of systemd

bool is_plain(char c) { return c >= ' ' && c < 0x7f && c != ':'; }

bool is_fd_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxFdName && std::all_of(name.begin(), name.end(), is_plain);
}

}  // namespace

std::vector<NamedSocket> take_listen_fds() {
  const auto pid = read_number<pid_t>(variable("LISTEN_PID"));
  const int count = read_number<int>(variable("LISTEN_FDS")).value_or(0);
  std::string names = variable("LISTEN_FDNAMES");
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);

  std::vector<NamedSocket> sockets;
  if (pid != ::getpid()) return sockets;
  for (int fd = kFirstPassedFd; fd - kFirstPassedFd < count; ++fd) {
    std::string name = take_name(names);
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags < 0) break;  // fewer than LISTEN_FDS claims
    ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    sockets.push_back({std::move(name), UniqueFd(fd)});
  }
  return sockets;
}

bool notify(std::string_view state) { return send(state); }

bool has_notify_socket() { return notify_address().has_value(); }

std::chrono::microseconds watchdog_interval() {
  const std::string pid = variable("WATCHDOG_PID");
  if (!pid.empty() && read_number<pid_t>(pid) != ::getpid()) return std::chrono::microseconds::zero();
  return std::chrono::microseconds(
      std::max<std::int64_t>(0, read_number<std::int64_t>(variable("WATCHDOG_USEC")).value_or(0)));
}

int fd_store_size() { return std::max(0, read_number<int>(variable("FDSTORE")).value_or(0)); }

bool store_fd(const std::string& name, int fd) {
  return is_fd_name(name) && send("FDSTORE=1\nFDNAME=" + name, {&fd, 1});
}

bool forget_fd(const std::string& name) { return is_fd_name(name) && send("FDSTOREREMOVE=1\nFDNAME=" + name); }

std::string fd_name(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string name;
  for (const char c : text) {
    if (is_plain(c) && c != '%') {
      name += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      name += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return name;
}

void forget_service_manager() {
  for (const char* name :
       {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "FDSTORE"}) {
    ::unsetenv(name);
  }
}

}  // namespace serval::os
