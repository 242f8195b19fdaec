#include "master/capture.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/log.hpp"
#include "base/log_keys.hpp"
#include "master/json_line.hpp"

namespace serval::master {
namespace {

constexpr std::size_t kPerWakeUp = 16 * 1024;
/// For the largest pipe that fcntl(2) F_SETPIPE_SZ gives the unprivileged.
constexpr int kWakeUpsToDrain = 1024 * 1024 / kPerWakeUp;

}  // namespace

Capture::Capture(boost::asio::io_context& io, UniqueFd read_end, Writer writer)
    : fd_(std::move(read_end)), writer_(std::move(writer)) {
  ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
  watch_.emplace(io, fd_.get(), [this] {
    if (read_some() == Progress::closed) watch_.reset();
  });
}

void Capture::drain() {
  for (int i = 0; i < kWakeUpsToDrain && read_some() == Progress::more; ++i) {
  }
  lines_.end([this](std::string_view line) { log_line(line); });
}

Capture::Progress Capture::read_some() {
  std::array<char, kPerWakeUp> buffer;
  ssize_t size = -1;
  do {
    size = ::read(fd_.get(), buffer.data(), buffer.size());
  } while (size < 0 && errno == EINTR);
  if (size < 0) return errno == EAGAIN ? Progress::empty : Progress::closed;
  if (size == 0) return Progress::closed;
  lines_.feed({buffer.data(), static_cast<std::size_t>(size)}, [this](std::string_view line) { log_line(line); });
  return Progress::more;
}

void Capture::log_line(std::string_view line) const {
  const log::LogOrigin origin{writer_.process, writer_.generation, writer_.pid, writer_.stream};
  // A text line has no place for an object: there it stays the text that it is.
  const log::Style style = log::style();
  if (style.format == log::Format::json) {
    const auto is_ours = [&](std::string_view key) { return log::is_own_key(style.keys, key); };
    if (const auto object = read_json_line(line, is_ours)) {
      return log::captured(origin, object->message, object->fields());
    }
  }
  log::captured(origin, line);
}

}  // namespace serval::master
