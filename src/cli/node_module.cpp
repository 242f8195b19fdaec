#include "cli/node_module.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>

#include "base/errno_text.hpp"
#include "base/units.hpp"
#include "os/spawn.hpp"
#include "os/unique_fd.hpp"
#include "os/wait.hpp"

namespace serval::cli {
namespace {

constexpr int kResultFd = 3;
constexpr std::size_t kMaxBytes = 16 * 1024 * 1024;

/// import() takes CommonJS, where the default export is module.exports, and modules alike.
constexpr const char* kScript = R"(
const fs = require('fs');
const url = require('url').pathToFileURL(process.argv[1]).href;
import(url).then((module) => {
  const exported = module.default === undefined ? module : module.default;
  const plain = (key, value) => value instanceof RegExp ? String(value) : value;
  const text = Buffer.from(JSON.stringify(exported === undefined ? null : exported, plain) || 'null');
  for (let done = 0; done < text.length;) done += fs.writeSync(3, text, done);
  process.exit(0);
}).catch((error) => { console.error(error && error.stack || error); process.exit(1); });
)";

/// Until its end, which a process that goes on with the pipe may put off: then the deadline counts.
Result<std::string> read_until(int fd, TimePoint deadline) {
  std::string text;
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    const auto left = std::chrono::ceil<Duration>(deadline - Clock::now());
    pollfd readable = {fd, POLLIN, 0};
    if (left <= Duration::zero() || ::poll(&readable, 1, static_cast<int>(left.count())) == 0)
      return Error{"it takes too long"};
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size < 0) return Error{errno_text()};
    if (size == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(size));
    if (text.size() > kMaxBytes) return Error{"what it exports has more than " + format_size(kMaxBytes)};
  }
}

}  // namespace

Result<std::string> evaluate_module(const std::string& path, Duration patience) {
  const auto node = os::find_program("node");
  if (!node) return Error{"it is JavaScript, and there is no node in PATH to evaluate it"};
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{"cannot make a pipe: " + errno_text()};
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  std::error_code error;
  os::Spawn what;
  what.program = *node;
  what.arguments = {"-e", kScript, std::filesystem::absolute(path, error).string()};
  what.fds = {{STDERR_FILENO, STDOUT_FILENO}, {write_end.get(), kResultFd}};
  what.traits.dies_with_us = true;
  const auto pid = os::spawn(what);
  if (!pid) return Error{pid.error()};
  write_end.reset();
  auto text = read_until(read_end.get(), Clock::now() + patience);
  if (!text) os::kill_child(*pid, SIGKILL);
  const auto ended = os::wait_for(*pid);
  if (!text) return Error{"node cannot evaluate it: " + text.error()};
  if (!ended || !ended->clean()) return Error{"node cannot evaluate it, see above"};
  return text;
}

}  // namespace serval::cli
