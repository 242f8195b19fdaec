#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include "base/address.hpp"
#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/bodies.hpp"
#include "cli/usage.hpp"
#include "os/socket_address.hpp"
#include "os/unique_fd.hpp"

namespace serval::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kBetweenTries = 100ms;
/// For connecting, and for each piece of an answer.
constexpr Duration kPatience = 2s;
/// "HTTP/1.1 200" and what may follow on that line.
constexpr std::size_t kMaxStatusLine = 1024;

bool wait_for(int fd, short events) {
  pollfd what = {fd, events, 0};
  return ::poll(&what, 1, static_cast<int>(kPatience.count())) > 0;
}

UniqueFd connect_to(const Address& address) {
  const os::SocketAddress where = os::socket_address_of(address);
  UniqueFd socket(::socket(where.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return {};
  if (::connect(socket.get(), where.pointer(), where.size) == 0) return socket;
  if (errno != EINPROGRESS || !wait_for(socket.get(), POLLOUT)) return {};
  int error = 0;
  socklen_t size = sizeof error;
  const bool known = ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0;
  return known && error == 0 ? std::move(socket) : UniqueFd();
}

/// Up to the end of the first line; what there is if none comes.
std::string status_line(int socket) {
  std::string text;
  std::array<char, 256> piece;
  while (text.size() < kMaxStatusLine && text.find('\n') == std::string::npos && wait_for(socket, POLLIN)) {
    const ssize_t size = ::read(socket, piece.data(), piece.size());
    if (size <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(size));
  }
  return text;
}

/// "HTTP/1.1 204": below 400, and above what is no answer yet.
bool is_good(std::string_view line) {
  const auto words = split(line.substr(0, line.find_first_of("\r\n")), ' ');
  if (words.size() < 2 || !words[0].starts_with("HTTP/1.") || words[1].size() != 3) return false;
  return words[1][0] == '2' || words[1][0] == '3';
}

bool answers(const Address& address, const std::string& path) {
  const UniqueFd socket = connect_to(address);
  if (!socket) return false;
  const std::string host = address.kind == Address::Kind::tcp ? address.text() : "localhost";
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: " + host +
                              "\r\nUser-Agent: serval-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n";
  const ssize_t sent = ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(request.size()) && is_good(status_line(socket.get()));
}

}  // namespace

/// Never gives up: the master ends it when the program's time is over.
int probe(const Invocation& invocation) {
  const auto address = Address::parse(invocation.words.front());
  if (!address) return usage_error("probe", address.error(), "serval starts it itself");
  const std::string path = invocation.words.size() > 1 ? invocation.words[1] : "";
  while (path.empty() ? !connect_to(*address) : !answers(*address, path)) std::this_thread::sleep_for(kBetweenTries);
  return exit_code::ok;
}

}  // namespace serval::cli
