#include "control/client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "base/errno_text.hpp"
#include "base/units.hpp"
#include "control/private_folder.hpp"
#include "os/fd_passing.hpp"
#include "os/unique_fd.hpp"

namespace serval::control {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024 * 1024;  ///< bytes; no status is that long

Error no_server(const std::string& path, const std::string& why) {
  return Error{"no server to talk to at " + path + ": " + why};
}

Error silence(const std::string& path, Duration patience) {
  return Error{"the server at " + path + " does not answer within " + format_duration(patience)};
}

/// A path that is no socket refuses as a socket without a listener does (connect(2)).
std::string why_refused(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || S_ISSOCK(status.st_mode)) return "nobody listens there any more";
  return S_ISDIR(status.st_mode) ? "it is a folder, and no socket" : "it is a file, and no socket";
}

/// A blocking connect: where the backlog is full, a non-blocking one gives up at once, with nothing to wait for
/// (unix(7)).
Result<UniqueFd> connect_to(const std::string& path, Duration patience) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return no_server(path, "the path is too long for a socket");
  path.copy(address.sun_path, path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return no_server(path, "no socket: " + errno_text());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience);
  const auto rest = std::chrono::duration_cast<std::chrono::microseconds>(patience - seconds);
  const timeval limit{.tv_sec = seconds.count(), .tv_usec = rest.count()};
  // For connect, and for the request (socket(7)).
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  if (errno == ECONNREFUSED) return no_server(path, why_refused(path));
  if (errno == EAGAIN) return silence(path, patience);
  return no_server(path, errno_text());
}

/// The connection and what has come through it.
class Conversation {
 public:
  Conversation(const Call& call, UniqueFd fd) : call_(call), fd_(std::move(fd)) {}

  /// A server that turns us away does so before it reads: a request that it did not want still has an answer.
  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  Result<Reply> wait_for_reply() {
    for (;;) {
      const auto line = next_line();
      if (!line) return Error{line.error()};
      auto answer = parse_answer(*line);
      if (!answer) return no_server(call_.where.path, answer.error());
      if (auto* reply = std::get_if<Reply>(&*answer)) return std::move(*reply);
      call_.on_progress(std::get<Progress>(*answer).text);
    }
  }

 private:
  Result<std::string> next_line() {
    const TimePoint deadline = Clock::now() + call_.patience;
    std::size_t searched = 0;
    for (;;) {
      if (const auto end = buffer_.find('\n', searched); end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return line;
      }
      searched = buffer_.size();
      if (searched > kMaxAnswer) return no_server(call_.where.path, "its answer does not end");
      if (const auto read = read_more(deadline); !read) return Error{read.error()};
    }
  }

  Result<void> read_more(TimePoint deadline) {
    const auto left = std::chrono::ceil<Duration>(deadline - Clock::now());
    pollfd poll{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&poll, 1, static_cast<int>(std::clamp<Duration::rep>(left.count(), 0, 1'000'000'000)));
    if (ready < 0 && errno == EINTR) return {};
    if (ready <= 0) return silence(call_.where.path, call_.patience);
    char bytes[16 * 1024];
    iovec part = {bytes, sizeof bytes};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    std::vector<UniqueFd> files;
    const ssize_t size = os::receive_with_fds(fd_.get(), message, files);
    if (size < 0 && errno == EAGAIN) return {};
    for (UniqueFd& file : files) call_.on_file(std::move(file));
    if (size <= 0) return no_server(call_.where.path, "it ended before it answered");
    buffer_.append(bytes, static_cast<std::size_t>(size));
    return {};
  }

  const Call& call_;
  UniqueFd fd_;
  std::string buffer_;
};

}  // namespace

Result<Reply> call(const Call& call) {
  if (!call.where.folder.empty()) {
    if (const auto safe = check_private_folder(call.where.folder, call.where.owner); !safe) {
      return no_server(call.where.path, safe.error());
    }
  }
  auto fd = connect_to(call.where.path, call.patience);
  if (!fd) return Error{fd.error()};
  Conversation conversation(call, std::move(*fd));
  conversation.send(format(call.request));
  return conversation.wait_for_reply();
}

}  // namespace serval::control
