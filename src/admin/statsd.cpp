#include "admin/statsd.hpp"

#include <algorithm>

#include "base/histogram.hpp"
#include "control/shown.hpp"

namespace serval::admin {
std::vector<std::string> statsd_lines(std::string_view prefix, const scoreboard::Totals& now,
                                      const scoreboard::Totals& before, const Status& status) {
  std::vector<std::string> lines;
  const auto say = [&](const std::string& name, std::uint64_t value, std::string_view kind) {
    lines.push_back(std::string(prefix) + name + ":" + std::to_string(value) + "|" + std::string(kind));
  };
  std::uint64_t requests = 0;
  for (int code = scoreboard::kFirstStatus; scoreboard::is_status(code); ++code) {
    const std::uint64_t count = grown(now.answers_with(code), before.answers_with(code));
    if (count > 0) say("request.status." + std::to_string(code), count, "c");
    requests += count;
  }
  say("requests", requests, "c");
  constexpr auto kDurations = scoreboard::Histogram::request_duration;
  const scoreboard::HistogramTotals durations = scoreboard::grown(now.of(kDurations), before.of(kDurations));
  if (requests > 0) {
    for (const auto& [name, part] : {std::pair{"p50", 0.5}, std::pair{"p95", 0.95}, std::pair{"p99", 0.99}}) {
      const double ms = 1000 * scoreboard::quantile(durations, part);
      say(std::string("request.duration.") + name, static_cast<std::uint64_t>(ms + 0.5), "g");
    }
  }
  if (!status) return lines;
  std::uint64_t serving = 0, running = 0, waiting = 0;
  const auto count_at = [](const boost::json::object& worker, std::string_view key) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(control::number_at(worker, key).value_or(0), 0));
  };
  for (const boost::json::object* worker : control::objects_in(*status, "workers")) {
    if (control::text_at(*worker, "state") == "serving") ++serving;
    running += count_at(*worker, "running");
    waiting += count_at(*worker, "waiting");
  }
  say("workers", serving, "g");
  say("requests.running", running, "g");
  say("requests.waiting", waiting, "g");
  return lines;
}

std::vector<std::string> statsd_packets(const std::vector<std::string>& lines, std::size_t most) {
  std::vector<std::string> packets;
  for (const std::string& line : lines) {
    if (line.size() > most) continue;
    if (packets.empty() || packets.back().size() + 1 + line.size() > most) {
      packets.push_back(line);
    } else {
      packets.back().append("\n").append(line);
    }
  }
  return packets;
}

}  // namespace serval::admin
