#include "supervisor/log_fold.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace serval::supervisor {
namespace {

/// What makes two lines of one sentence different; slots, pids and ages do not.
constexpr std::string_view kReasons[] = {"cause", "signal", "exit_code", "why", "gen"};
/// Reasons are texts of the app: if it invents ever new ones, they are not told apart any more.
constexpr std::size_t kMostLines = 1000;

std::string key_of(const Log& line, bool with_reasons) {
  std::string key = line.sentence;
  for (const log::Field& field : line.fields) {
    if (with_reasons && std::find(std::begin(kReasons), std::end(kReasons), field.key) != std::end(kReasons)) key += '\0' + field.text;
  }
  return key;
}

}  // namespace

std::optional<Log> LogFold::pass(Log line, TimePoint now) {
  Repeated& repeated = lines_.try_emplace(key_of(line, lines_.size() < kMostLines), Repeated{now + kWindow, burst_, 0, std::nullopt}).first->second;
  if (repeated.left > 0) {
    --repeated.left;
    return line;
  }
  ++repeated.folded;
  repeated.last = std::move(line);
  return std::nullopt;
}

std::vector<Log> LogFold::due(TimePoint now) {
  std::vector<Log> lines;
  for (auto at = lines_.begin(); at != lines_.end();) {
    Repeated& repeated = at->second;
    if (repeated.until > now) {
      ++at;
    } else if (repeated.folded == 0) {
      at = lines_.erase(at);
    } else {
      const bool over = repeated.folded < static_cast<std::uint64_t>(burst_);
      repeated.left = over ? burst_ : 0;
      repeated.last->fields.emplace_back("folded", std::exchange(repeated.folded, 0));
      lines.push_back(std::move(*std::exchange(repeated.last, std::nullopt)));
      repeated.until += kWindow;
      ++at;
    }
  }
  return lines;
}

/// Windows without folded lines need no timer: they are only forgotten.
TimePoint LogFold::next() const {
  TimePoint next = TimePoint::max();
  for (const auto& [key, repeated] : lines_) {
    if (repeated.folded > 0) next = std::min(next, repeated.until);
  }
  return next;
}

}  // namespace serval::supervisor
