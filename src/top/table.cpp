#include "top/table.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "control/shown.hpp"
#include "top/summary.hpp"
#include "top/text.hpp"
#include "top/worker_state.hpp"

namespace serval::top {
namespace {

namespace json = boost::json;
using control::number_at;
using control::objects_in;
using control::text_at;

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
    {"STATE", false, 0, [](const Row& row) { return state_of(*row.worker); }, nullptr},
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
    {"MEMORY", true, 1, [](const Row& row) { return control::size_in(*row.worker, "memory_bytes"); },
     [](const Row& row) { return number_of(row, "memory_bytes"); }},
    {"BEAT", true, 3, [](const Row& row) { return without_blanks(control::time_in(*row.worker, "beat_age_ms", 1)); },
     [](const Row& row) { return number_of(row, "beat_age_ms"); }},
}};

/// A loop that turns beats every five seconds at least.
constexpr std::int64_t kLateBeatMs = 7000;

Style style_of(const json::object& worker) {
  const std::string state = state_of(worker);
  if (state == "killing" || state == "cooling" || state == "stopped" || state == "silent") return Style::bad;
  if (state != "serving" || count_at(worker, "beat_age_ms") > kLateBeatMs ||
      text_at(worker, "cause") != control::kUnknown || !control::flag_at(worker, "ready"))
    return Style::warning;
  return Style::plain;
}

}  // namespace

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

Widths widths_for(const std::vector<Row>& rows, Column sorted, std::size_t room) {
  Widths widths{};
  for (std::size_t i = 0; i < widths.size(); ++i) {
    widths[i] = kTable[i].title.size() + (i == static_cast<std::size_t>(sorted) ? 2 : 1);  // its sign, and a gap
    for (const Row& row : rows) widths[i] = std::max(widths[i], length(kTable[i].cell(row)) + 1);
  }
  const bool many_generations = std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
    return number_of(row, "generation") != number_of(rows.front(), "generation");
  });
  const auto importance = [&](std::size_t i) {
    return many_generations && i == static_cast<std::size_t>(Column::generation) ? 0 : kTable[i].importance;
  };
  for (int least = 3; least > 0; --least) {
    std::size_t all = 0;
    for (const std::size_t width : widths) all += width;
    if (all <= room) break;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (importance(i) >= least) widths[i] = 0;
    }
  }
  return widths;
}

Line title_line(const Widths& widths, const Chosen& chosen) {
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

Line row_line(const Row& row, const Widths& widths, bool selected) {
  const Style style = selected ? Style::selected : style_of(*row.worker);
  std::string text;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] > 0) text += padded(kTable[i].cell(row), widths[i], kTable[i].right);
  }
  return {{text, style}};
}

/// What matters comes first: a target may be longer than the line.
Line request_line(const json::object& request) {
  const auto left = number_at(request, "deadline_in_ms");
  const bool late = left && *left < 0;
  const std::string time = left ? (late ? control::show_time(-std::max(*left, -INT64_MAX)) + " past its deadline"
                                        : control::show_time(*left) + " left")
                                : std::string("no deadline");
  return {{"     for " + control::time_in(request, "age_ms", 1) + ", " + time + ": ", late ? Style::bad : Style::soft},
          {text_at(request, "method") + " " + text_at(request, "target"), late ? Style::bad : Style::plain},
          {", " + text_at(request, "peer") + ", thread " + control::number(request, "thread"),
           late ? Style::bad : Style::soft}};
}

}  // namespace serval::top
