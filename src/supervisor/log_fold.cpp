#include "supervisor/log_fold.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace serval::supervisor {
namespace {

/// What makes two lines of one sentence different; slots, pids and ages do not.
constexpr std::string_view kReasons[] = {"cause", "signal", "exit_code", "why", "gen"};
/// What each line counts for itself: the line that stands for others has to account for theirs.
constexpr std::string_view kSums[] = {"requests_lost", "waiting_lost", "connections_lost"};
/// Reasons are texts of the app: if it invents ever new ones, they are not told apart any more.
constexpr std::size_t kMostLines = 1000;

std::string key_of(const Log& line, bool with_reasons) {
  std::string key = line.sentence;
  for (const log::Field& field : line.fields) {
    if (with_reasons && std::find(std::begin(kReasons), std::end(kReasons), field.key) != std::end(kReasons))
      key += '\0' + field.text;
  }
  return key;
}

/// The key from kSums, which outlives every line; empty: it is none of them.
std::string_view summed_key(const log::Field& field) {
  const auto found = std::find(std::begin(kSums), std::end(kSums), field.key);
  return found == std::end(kSums) ? std::string_view() : *found;
}

std::uint64_t number_of(const log::Field& field) {
  std::uint64_t number = 0;
  std::from_chars(field.text.data(), field.text.data() + field.text.size(), number);
  return number;
}

}  // namespace

std::optional<Log> LogFold::pass(Log line, TimePoint now) {
  Repeated& repeated =
      lines_.try_emplace(key_of(line, lines_.size() < kMostLines), Repeated{now + kWindow, burst_, 0, std::nullopt, {}})
          .first->second;
  if (repeated.left > 0) {
    --repeated.left;
    return line;
  }
  ++repeated.folded;
  for (const log::Field& field : line.fields) {
    if (const std::string_view key = summed_key(field); !key.empty()) repeated.sums[key] += number_of(field);
  }
  repeated.last = std::move(line);
  return std::nullopt;
}

/// The last one's own counts are part of the sums, and the last line need not be one of those that have any.
Log LogFold::told(Repeated& repeated) {
  Log line = std::move(*std::exchange(repeated.last, std::nullopt));
  std::erase_if(line.fields, [](const log::Field& field) { return !summed_key(field).empty(); });
  for (const auto& [key, sum] : std::exchange(repeated.sums, {})) line.fields.emplace_back(key, sum);
  line.fields.emplace_back("folded", std::exchange(repeated.folded, 0));
  return line;
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
      lines.push_back(told(repeated));
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
