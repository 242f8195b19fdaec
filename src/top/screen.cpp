#include "top/screen.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstdio>
#include <map>
#include <string_view>
#include <utility>

#include "control/shown.hpp"

namespace serval::top {
namespace {

namespace json = boost::json;
using control::number_at;
using control::objects_in;
using control::text_at;

std::int64_t count_at(const json::object& object, std::string_view key) {
  return std::max<std::int64_t>(number_at(object, key).value_or(0), 0);
}

std::string with_digits(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

/// "0.3" "47" "12.3k": four characters or so.
std::string amount(double value) {
  if (value >= 1e6) return with_digits(value / 1e6, 1) + "M";
  if (value >= 1e4) return with_digits(value / 1e3, 1) + "k";
  return with_digits(value, value > 0 && value < 10 ? 1 : 0);
}

std::string without_blanks(std::string text) {
  std::erase(text, ' ');
  return text;
}

std::size_t length(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// --- what has changed between two looks

struct Change {
  double seconds = 0;  ///< 0: there is only one look
  double per_second(std::int64_t now, std::int64_t before) const {
    return seconds > 0 ? static_cast<double>(std::max<std::int64_t>(now - before, 0)) / seconds : 0;
  }
};

/// Looks at different servers tell nothing together.
Change change_of(const Look& now, const Look* before) {
  if (before == nullptr || now.at <= before->at || number_at(now.status, "pid") != number_at(before->status, "pid"))
    return {};
  return {std::chrono::duration<double>(now.at - before->at).count()};
}

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
    double below = 0;
    for (std::size_t i = 0; i < std::min(bounds_.size(), counts_.size()); ++i) {
      if (counts_[i] > 0 && below + counts_[i] >= part * all) {
        const double from = i == 0 ? 0 : bounds_[i - 1];
        return shown(from + (bounds_[i] - from) * (part * all - below) / counts_[i]);
      }
      below += counts_[i];
    }
    return ">" + shown(bounds_.back());
  }

 private:
  static std::string shown(double seconds) {
    const double ms = seconds * 1000;
    return ms < 10 ? with_digits(ms, 1) + "ms" : without_blanks(control::show_time(std::llround(std::min(ms, 1e12))));
  }
  std::vector<double> bounds_;
  std::vector<double> counts_;
};

// --- the lines above the table

Line first_line(const json::object& status) {
  const bool live = control::flag_at(status, "live");
  const bool ready = control::flag_at(status, "ready");
  const std::string state = !live                                             ? "not live"
                            : !ready && text_at(status, "state") == "serving" ? "not ready"
                                                                              : text_at(status, "state");
  return {{text_at(status, "name"), Style::strong},
          {", serval " + text_at(status, "version") + ", pid " + control::number(status, "pid") + ": "},
          {state, !live    ? Style::bad
                  : !ready ? Style::warning
                           : Style::good},
          {", up for " + control::time_in(status, "uptime_s", 1000) + ", generation " +
           control::number(status, "generation")}};
}

Line why_line(const json::object& status) {
  if (const auto why = control::maybe_text_at(status, "lifeless")) return {{*why, Style::bad}};
  if (const auto why = control::maybe_text_at(status, "unready")) return {{*why, Style::warning}};
  return {};
}

struct Sums {
  std::int64_t serving = 0, running = 0, threads = 0, waiting = 0, memory = 0, connections = 0;
};

Sums sums_of(const json::object& status) {
  Sums sums;
  for (const json::object* worker : objects_in(status, "workers")) {
    const bool serving = text_at(*worker, "state") == "serving";
    sums.serving += serving ? 1 : 0;
    sums.running += count_at(*worker, "running");
    sums.threads += serving ? count_at(*worker, "threads") : 0;
    sums.waiting += count_at(*worker, "waiting");
    sums.memory += count_at(*worker, "memory_bytes");
    sums.connections += count_at(*worker, "connections");
  }
  return sums;
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
  return {{std::to_string(sums.serving) + "/" + std::to_string(wanted),
           sums.serving < wanted ? Style::warning : Style::strong},
          {" workers serve" + ended}};
}

// --- the table

struct Row {
  const json::object* worker;
  double rate;
};

struct ColumnRow {
  std::string_view title;
  bool right;
  int importance;  ///< where it does not fit, those of 3 go first
  std::string (*cell)(const Row& row);
  double (*order)(const Row& row);  ///< by its number; null: by its text
};

double number_of(const Row& row, std::string_view key) {
  return static_cast<double>(number_at(*row.worker, key).value_or(-1));
}

constexpr std::array<ColumnRow, kColumns> kTable{{
    {"SLOT", true, 0, [](const Row& row) { return control::number(*row.worker, "slot"); },
     [](const Row& row) { return number_of(row, "slot"); }},
    {"PID", true, 1, [](const Row& row) { return control::number(*row.worker, "pid"); },
     [](const Row& row) { return number_of(row, "pid"); }},
    {"GEN", true, 1, [](const Row& row) { return control::number(*row.worker, "generation"); },
     [](const Row& row) { return number_of(row, "generation"); }},
    {"STATE", false, 0, [](const Row& row) { return text_at(*row.worker, "state"); }, nullptr},
    {"AGE", true, 2, [](const Row& row) { return without_blanks(control::time_in(*row.worker, "age_s", 1000)); },
     [](const Row& row) { return number_of(row, "age_s"); }},
    {"REQ/S", true, 0, [](const Row& row) { return row.rate < 0 ? std::string("-") : amount(row.rate); },
     [](const Row& row) { return row.rate; }},
    {"REQUESTS", true, 2, [](const Row& row) { return control::number(*row.worker, "requests"); },
     [](const Row& row) { return number_of(row, "requests"); }},
    {"CONNS", true, 1, [](const Row& row) { return control::number(*row.worker, "connections"); },
     [](const Row& row) { return number_of(row, "connections"); }},
    {"BUSY", true, 0,
     [](const Row& row) {
       return control::number(*row.worker, "running") + "/" + control::number(*row.worker, "threads");
     },
     [](const Row& row) { return number_of(row, "running"); }},
    {"WAIT", true, 0, [](const Row& row) { return control::number(*row.worker, "waiting"); },
     [](const Row& row) { return number_of(row, "waiting"); }},
    {"MEMORY", true, 1,
     [](const Row& row) {
       const auto bytes = number_at(*row.worker, "memory_bytes");
       return bytes ? control::show_size(static_cast<std::uint64_t>(std::max<std::int64_t>(*bytes, 0)))
                    : std::string(control::kUnknown);
     },
     [](const Row& row) { return number_of(row, "memory_bytes"); }},
    {"BEAT", true, 3, [](const Row& row) { return without_blanks(control::time_in(*row.worker, "beat_age_ms", 1)); },
     [](const Row& row) { return number_of(row, "beat_age_ms"); }},
}};

std::vector<Row> rows_of(const Look& now, const Look* before) {
  const Change change = change_of(now, before);
  std::map<std::int64_t, std::int64_t> were;  // by pid
  if (change.seconds > 0) {
    for (const json::object* worker : objects_in(before->status, "workers"))
      were[count_at(*worker, "pid")] = count_at(*worker, "requests");
  }
  std::vector<Row> rows;
  for (const json::object* worker : objects_in(now.status, "workers")) {
    const auto was = were.find(count_at(*worker, "pid"));
    rows.push_back({worker, was == were.end() ? -1 : change.per_second(count_at(*worker, "requests"), was->second)});
  }
  return rows;
}

void sort(std::vector<Row>& rows, const Chosen& chosen) {
  const ColumnRow& by = kTable[static_cast<std::size_t>(chosen.sort)];
  const auto before = [&by](const Row& a, const Row& b) {
    return by.order != nullptr ? by.order(a) < by.order(b) : by.cell(a) < by.cell(b);
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const Row& a, const Row& b) { return chosen.descending ? before(b, a) : before(a, b); });
}

/// Which columns there is room for, and how wide each is; 0: left out.
std::array<std::size_t, kColumns> widths_for(const std::vector<Row>& rows, Column sorted, std::size_t room) {
  std::array<std::size_t, kColumns> widths{};
  for (std::size_t i = 0; i < widths.size(); ++i) {
    widths[i] = kTable[i].title.size() + (i == static_cast<std::size_t>(sorted) ? 2 : 1);  // its sign, and a gap
    for (const Row& row : rows) widths[i] = std::max(widths[i], length(kTable[i].cell(row)) + 1);
  }
  for (int least = 3; least > 0; --least) {
    std::size_t all = 0;
    for (const std::size_t width : widths) all += width;
    if (all <= room) break;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (kTable[i].importance >= least) widths[i] = 0;
    }
  }
  return widths;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::size_t used = length(text) + 1;
  const std::string padding(width > used ? width - used : 0, ' ');
  return right ? padding + text + " " : text + padding + " ";
}

Style style_of(const json::object& worker) {
  const std::string state = text_at(worker, "state");
  if (state == "killing" || state == "cooling") return Style::bad;
  if (state != "serving" || text_at(worker, "cause") != control::kUnknown || !control::flag_at(worker, "ready"))
    return Style::warning;
  return Style::plain;
}

Line title_line(const std::array<std::size_t, kColumns>& widths, const Chosen& chosen) {
  Line line;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] == 0) continue;
    const bool sorted = i == static_cast<std::size_t>(chosen.sort);
    std::string title(kTable[i].title);
    if (sorted) title += chosen.descending ? "-" : "+";
    line.push_back({padded(title, widths[i], kTable[i].right), sorted ? Style::strong : Style::soft});
  }
  return line;
}

Line row_line(const Row& row, const std::array<std::size_t, kColumns>& widths, bool selected) {
  const Style style = selected ? Style::selected : style_of(*row.worker);
  std::string text;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] > 0) text += padded(kTable[i].cell(row), widths[i], kTable[i].right);
  }
  return {{text, style}};
}

Line request_line(const json::object& request) {
  const auto left = number_at(request, "deadline_in_ms");
  const bool late = left && *left < 0;
  const std::string time = left ? (late ? control::show_time(-std::max(*left, -INT64_MAX)) + " past its deadline"
                                        : control::show_time(*left) + " left")
                                : std::string("no deadline");
  return {{"     " + text_at(request, "method") + " " + text_at(request, "target"), late ? Style::bad : Style::plain},
          {"  " + control::time_in(request, "age_ms", 1) + ", " + time + ", " + text_at(request, "peer") + ", thread " +
               control::number(request, "thread"),
           late ? Style::bad : Style::soft}};
}

Line cut(const Line& line, std::size_t characters) {
  Line result;
  for (const Piece& piece : line) {
    const std::string text = top::cut(piece.text, characters);
    characters -= length(text);
    if (!text.empty()) result.push_back({text, piece.style});
  }
  return result;
}

constexpr std::string_view kKeys = "q quit  s sort  S turn  t requests  r recycle  d drain  x stacks  ? keys";

}  // namespace

std::string cut(const std::string& text, std::size_t characters) {
  std::size_t end = 0;
  while (end < text.size()) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (begins && characters-- == 0) break;
    ++end;
  }
  return text.substr(0, end);
}

Screen make_screen(const Look& now, const Look* before, const Chosen& chosen, Size size) {
  Screen screen;
  std::vector<Row> rows = rows_of(now, before);
  sort(rows, chosen);
  screen.workers = static_cast<int>(rows.size());
  const int selected = std::clamp(chosen.selected, 0, std::max(screen.workers - 1, 0));
  const auto columns = static_cast<std::size_t>(std::max(size.columns, 1));
  std::vector<Line> top{first_line(now.status),   why_line(now.status),     requests_line(now, before),
                        threads_line(now.status), workers_line(now.status), {}};
  const auto widths = widths_for(rows, chosen.sort, columns);
  top.push_back(title_line(widths, chosen));
  std::vector<Line> table;
  std::size_t selected_at = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool is_selected = static_cast<int>(i) == selected;
    if (is_selected) {
      selected_at = table.size();
      if (const auto slot = number_at(*rows[i].worker, "slot")) screen.slot = static_cast<int>(*slot);
    }
    table.push_back(row_line(rows[i], widths, is_selected));
    if (!chosen.show_requests) continue;
    for (const json::object* request : objects_in(*rows[i].worker, "in_progress"))
      table.push_back(request_line(*request));
  }
  // The selected row stays in sight, and the last line is for the keys.
  const auto total = static_cast<std::size_t>(std::max(size.rows, 1));
  const std::size_t room = total > top.size() + 1 ? total - top.size() - 1 : 0;
  const std::size_t first = selected_at < room || room == 0 ? 0 : selected_at - room + 1;
  for (const Line& line : top) screen.lines.push_back(line);
  for (std::size_t i = first; i < std::min(table.size(), first + room); ++i) screen.lines.push_back(table[i]);
  screen.lines.resize(std::min(screen.lines.size(), total - 1));
  while (screen.lines.size() + 1 < total) screen.lines.emplace_back();
  screen.lines.push_back(chosen.message.empty() ? Line{{std::string(kKeys), Style::soft}}
                                                : Line{{chosen.message, Style::strong}});
  for (Line& line : screen.lines) line = cut(line, columns);
  return screen;
}

std::vector<Line> help_screen() {
  const auto key = [](std::string keys, std::string does) {
    keys.resize(14, ' ');
    return Line{{std::move(keys), Style::strong}, {std::move(does)}};
  };
  return {
      {{"serval top", Style::strong}},
      {},
      key("up, down, k, j", "select a worker"),
      key("s", "sort by the next column"),
      key("S", "turn the order around"),
      key("t", "show or hide the requests in progress"),
      key("r", "recycle the selected worker: its successor serves first"),
      key("d", "drain the server (report not ready), or end that"),
      key("x", "stacks of the selected worker"),
      key("space", "look now"),
      key("q", "quit"),
      {},
      {{"Rates and latencies are of the time since the look before. A worker in warning colours starts, leaves, has"}},
      {{"to be replaced, or its app is not ready."}}};
}

}  // namespace serval::top
