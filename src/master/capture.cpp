#include "master/capture.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

#include "base/journal.hpp"
#include "base/log.hpp"
#include "base/log_keys.hpp"
#include "base/log_text.hpp"
#include "config/options.hpp"
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
  take_rest();
}

Capture::Progress Capture::read_some() {
  std::array<char, kPerWakeUp> buffer;
  ssize_t size = -1;
  do {
    size = ::read(fd_.get(), buffer.data(), buffer.size());
  } while (size < 0 && errno == EINTR);
  if (size < 0) return errno == EAGAIN ? Progress::empty : Progress::closed;
  if (size == 0) return Progress::closed;
  take({buffer.data(), static_cast<std::size_t>(size)});
  return Progress::more;
}

/// Byte for byte into a file of the program's own. What a task logs begins with a priority, which is not for people.
bool Capture::goes_as_it_is() const { return log::style().format != log::Format::json && !writer_.has_priorities; }

void Capture::take(std::string_view bytes) {
  if (!writer_.file) return lines_.feed(bytes, [this](std::string_view line) { log_line(line); });
  if (goes_as_it_is()) {
    take_rest();  // until now the log may have been JSON
    return writer_.file->write(bytes);
  }
  std::string batch;
  lines_.feed(bytes, [&](std::string_view line) { append_line(batch, line); });
  writer_.file->write_lines(batch);
}

/// What has no end of line and will get none.
void Capture::take_rest() {
  lines_.end([this](std::string_view line) {
    if (!writer_.file) return log_line(line);
    if (goes_as_it_is()) return writer_.file->write(line);
    std::string batch;
    append_line(batch, line);
    writer_.file->write_lines(batch);
  });
}

void Capture::append_line(std::string& out, std::string_view line) const {
  if (log::style().format == log::Format::json) return append_json(out, line);
  take_level(line);
  out.append(line).append("\n");
}

/// As the log has it, but the file is the program's own: the instance is named by parts, and there is no pid, which
/// would be another one after each restart.
void Capture::append_json(std::string& out, std::string_view line) const {
  const log::Level level = take_level(line);
  const log::Style style = log::style();
  std::string origin = "\"program\":\"" + writer_.file_program + "\",\"instance\":" + std::to_string(writer_.instance);
  origin += ",\"stream\":\"" + std::string(writer_.stream) + "\"";
  const auto is_ours = [&](std::string_view key) {
    return log::is_own_key(style.keys, key) || key == "program" || key == "instance";
  };
  const auto object = read_json_line(line, is_ours);
  std::vector<log::Field> fields;
  if (object) fields = object->fields();
  const std::string payload = log::render(style, object ? std::string_view(object->message) : line, fields);
  log::append_line(out, style, {std::chrono::system_clock::now(), config::name_of(level), origin, payload});
}

log::Level Capture::take_level(std::string_view& line) const {
  if (!writer_.has_priorities) return log::Level::info;
  for (const log::Level one : {log::Level::debug, log::Level::info, log::Level::warning, log::Level::error}) {
    const std::string_view prefix = priority_prefix(one);
    if (!line.starts_with(prefix)) continue;
    line.remove_prefix(prefix.size());
    return one;
  }
  return log::Level::info;
}

void Capture::log_line(std::string_view line) const {
  const log::Level level = take_level(line);
  const log::LogOrigin origin{writer_.process, writer_.generation, writer_.pid, writer_.stream};
  // A text line has no place for an object: there it stays the text that it is.
  const log::Style style = log::style();
  if (style.format == log::Format::json) {
    const auto is_ours = [&](std::string_view key) { return log::is_own_key(style.keys, key); };
    if (const auto object = read_json_line(line, is_ours)) {
      return log::captured(origin, object->message, object->fields(), level);
    }
  }
  log::captured(origin, line, {}, level);
}

}  // namespace serval::master
