#include "top/summary.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <span>
#include <string>
#include <string_view>

#include "base/histogram.hpp"
#include "control/shown.hpp"
#include "top/text.hpp"
#include "top/worker_state.hpp"

namespace serval::top {
namespace {

namespace json = boost::json;
using control::number_at;
using control::objects_in;
using control::text_at;

const json::object& totals_of(const json::object& status) {
  static const json::object kNone;
  const json::object* totals = control::object_in(status, "totals");
  return totals == nullptr ? kNone : *totals;
}

std::int64_t failed_of(const json::object& status) {
  std::int64_t failed = 0;
  if (const json::object* answers = control::object_in(totals_of(status), "answers")) {
    for (const auto& answer : *answers) {
      if (answer.key().starts_with('5'))
        failed += count_at(*answers, std::string_view(answer.key().data(), answer.key().size()));
    }
  }
  return failed;
}

std::vector<double> numbers_in(const json::object& object, std::string_view key) {
  std::vector<double> numbers;
  const json::value* value = object.if_contains(json::string_view(key.data(), key.size()));
  if (value == nullptr || !value->is_array()) return numbers;
  for (const json::value& item : value->get_array()) numbers.push_back(item.is_number() ? item.to_number<double>() : 0);
  return numbers;
}

/// Milliseconds that this part of the requests since the last look did not exceed; none: there were none.
class Latencies {
 public:
  Latencies(const Look& now, const Look* before) {
    const json::object* durations = control::object_in(totals_of(now.status), "durations");
    if (durations == nullptr || before == nullptr) return;
    bounds_ = numbers_in(*durations, "bounds_s");
    counts_ = numbers_in(*durations, "counts");
    if (const json::object* earlier = control::object_in(totals_of(before->status), "durations")) {
      const std::vector<double> were = numbers_in(*earlier, "counts");
      for (std::size_t i = 0; i < std::min(counts_.size(), were.size()); ++i)
        counts_[i] = std::max(0.0, counts_[i] - were[i]);
    }
  }
  std::string at(double part) const {
    double all = 0;
    for (const double count : counts_) all += count;
    if (all <= 0 || bounds_.empty()) return "-";
    const std::span<const double> counts(counts_);
    const bool beyond = quantile_place(counts, part).bucket >= bounds_.size();
    return (beyond ? ">" : "") + shown(quantile(std::span<const double>(bounds_), counts, part));
  }

 private:
  static std::string shown(double seconds) {
    const double ms = seconds * 1000;
    return ms < 10 ? with_digits(ms, 1) + "ms" : without_blanks(control::show_time(std::llround(std::min(ms, 1e12))));
  }
  std::vector<double> bounds_;
  std::vector<double> counts_;
};

struct Sums {
  std::int64_t serving = 0, running = 0, threads = 0, waiting = 0, memory = 0, connections = 0;
};

Sums sums_of(const json::object& status) {
  Sums sums;
  for (const json::object* worker : objects_in(status, "workers")) {
    const bool serving = state_of(*worker) == "serving";
    sums.serving += serving ? 1 : 0;
    sums.running += count_at(*worker, "running");
    sums.threads += serving ? count_at(*worker, "threads") : 0;
    sums.waiting += count_at(*worker, "waiting");
    sums.memory += count_at(*worker, "memory_bytes");
    sums.connections += count_at(*worker, "connections");
  }
  return sums;
}

Line first_line(const json::object& status) {
  const bool live = control::flag_at(status, "live");
  const bool ready = control::flag_at(status, "ready");
  const bool all_serve = sums_of(status).serving >= count_at(status, "workers_wanted");
  const std::string state = !live                                             ? "not live"
                            : !ready && text_at(status, "state") == "serving" ? "not ready"
                                                                              : text_at(status, "state");
  return {{text_at(status, "name"), Style::strong},
          {", serval " + text_at(status, "version") + ", pid " + control::number(status, "pid") + ": "},
          {state, !live                  ? Style::bad
                  : !ready || !all_serve ? Style::warning
                                         : Style::good},
          {", up for " + control::time_in(status, "uptime_s", 1000) + ", generation " +
           control::number(status, "generation")}};
}

Line why_line(const json::object& status) {
  if (const auto why = control::maybe_text_at(status, "lifeless")) return {{*why, Style::bad}};
  if (const auto why = control::maybe_text_at(status, "unready")) return {{*why, Style::warning}};
  return {};
}

Line requests_line(const Look& now, const Look* before) {
  const Change change = change_of(now, before);
  const Latencies latencies(now, change.seconds > 0 ? before : nullptr);
  const auto rate = [&](std::int64_t (*count)(const json::object&)) {
    return change.seconds > 0 ? amount(change.per_second(count(now.status), count(before->status))) : std::string("-");
  };
  const std::string failing = rate(failed_of);
  const bool fails = failing != "-" && failing != "0";
  return {{rate([](const json::object& status) { return count_at(totals_of(status), "requests"); }), Style::strong},
          {" requests/s  "},
          {failing, fails ? Style::bad : Style::plain},
          {" 5xx/s  p50 " + latencies.at(0.5) + "  p95 " + latencies.at(0.95) + "  p99 " + latencies.at(0.99)}};
}

Line threads_line(const json::object& status) {
  const Sums sums = sums_of(status);
  std::int64_t kernel = 0;
  for (const json::object* listener : objects_in(status, "listeners")) kernel += count_at(*listener, "queue");
  const bool full = sums.threads > 0 && sums.running >= sums.threads;
  return {{std::to_string(sums.running) + "/" + std::to_string(sums.threads), full ? Style::bad : Style::strong},
          {" threads busy  "},
          {std::to_string(sums.waiting), sums.waiting > 0 ? Style::warning : Style::plain},
          {" waiting, " + std::to_string(kernel) + " in the kernel  " + std::to_string(sums.connections) +
           " connections  " + control::show_size(static_cast<std::uint64_t>(sums.memory))}};
}

Line workers_line(const json::object& status) {
  const Sums sums = sums_of(status);
  const std::int64_t wanted = count_at(status, "workers_wanted");
  std::string ended;
  if (const json::object* causes = control::object_in(status, "ended")) {
    for (const auto& cause : *causes) {
      const std::string name(cause.key().data(), cause.key().size());
      ended += (ended.empty() ? "  ended: " : ", ") + name + " " + control::number(*causes, name);
    }
  }
  // While a reload is being watched, canaries come on top of those that are wanted.
  if (sums.serving > wanted) {
    return {{std::to_string(sums.serving), Style::strong},
            {" workers serve, " + std::to_string(wanted) + " wanted" + ended}};
  }
  return {{std::to_string(sums.serving) + "/" + std::to_string(wanted),
           sums.serving < wanted ? Style::warning : Style::strong},
          {" workers serve" + ended}};
}

}  // namespace

double Change::per_second(std::int64_t now, std::int64_t before) const {
  return seconds > 0 ? static_cast<double>(std::max<std::int64_t>(now - before, 0)) / seconds : 0;
}

bool has_app(const json::object& status) {
  return count_at(status, "workers_wanted") > 0 || !objects_in(status, "workers").empty() ||
         objects_in(status, "programs").empty();
}

Change change_of(const Look& now, const Look* before) {
  if (before == nullptr || now.at <= before->at || number_at(now.status, "pid") != number_at(before->status, "pid"))
    return {};
  return {std::chrono::duration<double>(now.at - before->at).count()};
}

std::vector<Line> summary(const Look& now, const Look* before) {
  std::vector<Line> lines = {first_line(now.status), why_line(now.status)};
  if (has_app(now.status)) {
    lines.push_back(requests_line(now, before));
    lines.push_back(threads_line(now.status));
    lines.push_back(workers_line(now.status));
  }
  return lines;
}

}  // namespace serval::top
