#include "top/programs.hpp"

#include <algorithm>
#include <array>
#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "control/shown.hpp"
#include "top/summary.hpp"
#include "top/text.hpp"

namespace serval::top {
namespace {

namespace json = boost::json;
using control::flag_at;
using control::maybe_text_at;
using control::objects_in;
using control::text_at;

double cpu_of(const json::object& instance) { return control::decimal_at(instance, "cpu_s").value_or(-1); }

/// What counts as one instance over time is its number: its CPU time never goes back.
std::string name_of(const json::object& program, const json::object& instance) {
  return text_at(program, "name") + "[" + control::number(instance, "instance") + "]";
}

std::string state_of(const ProgramRow& row) {
  if (row.instance == nullptr) {
    if (!flag_at(*row.program, "on")) return "off";
    return control::object_in(*row.program, "schedule") != nullptr ? "scheduled" : "none";
  }
  return flag_at(*row.instance, "stopped") ? "stopped" : text_at(*row.instance, "state");
}

std::string restarts_of(const ProgramRow& row) {
  return row.first ? std::to_string(control::sum_in(*row.program, "restarts")) : "";
}

std::string memory_of(const ProgramRow& row) {
  return row.instance == nullptr ? std::string(control::kUnknown) : control::size_in(*row.instance, "memory_bytes");
}

/// Of one instance, and of the whole program in its first row.
std::string note_on(const ProgramRow& row) {
  std::vector<std::string> notes;
  if (row.first) {
    if (const auto failure = maybe_text_at(*row.program, "failure")) notes.push_back(*failure);
    if (const json::object* schedule = control::object_in(*row.program, "schedule")) {
      const json::object* last = control::object_in(*schedule, "last");
      if (last != nullptr) notes.push_back("last " + text_at(*last, "result"));
      if (const auto next = maybe_text_at(*schedule, "next")) notes.push_back("next " + *next);
    }
  }
  if (row.instance != nullptr) {
    if (const auto cause = maybe_text_at(*row.instance, "cause")) notes.push_back(*cause);
    const std::string state = text_at(*row.instance, "state");
    if (const auto ended = maybe_text_at(*row.instance, "ended"); ended && (state == "waiting" || state == "ended"))
      notes.push_back(*ended);
    if (const auto status = maybe_text_at(*row.instance, "status")) notes.push_back(*status);
  }
  return join(notes, ", ");
}

std::string of_instance(const ProgramRow& row, std::string_view key) {
  return row.instance == nullptr ? std::string(control::kUnknown) : control::number(*row.instance, key);
}

struct ProgramColumn {
  std::string_view title;
  bool right;
  int importance;  ///< where it does not fit, those of 3 go first
  std::string (*cell)(const ProgramRow& row);
};
constexpr std::array<ProgramColumn, 9> kProgramColumns{{
    {"PROGRAM", false, 0, [](const ProgramRow& row) { return text_at(*row.program, "name"); }},
    {"NO", true, 0, [](const ProgramRow& row) { return of_instance(row, "instance"); }},
    {"PID", true, 1, [](const ProgramRow& row) { return of_instance(row, "pid"); }},
    {"STATE", false, 0, state_of},
    {"AGE", true, 2,
     [](const ProgramRow& row) {
       return row.instance == nullptr ? std::string(control::kUnknown)
                                      : without_blanks(control::time_in(*row.instance, "age_s", 1000));
     }},
    {"RESTARTS", true, 2, restarts_of},
    {"MEMORY", true, 1, memory_of},
    {"CPU", true, 1,
     [](const ProgramRow& row) {
       return row.cpu < 0 ? std::string(control::kUnknown) : with_digits(row.cpu * 100, 0) + "%";
     }},
    {"", false, 3, note_on},
}};
using Widths = std::array<std::size_t, kProgramColumns.size()>;

/// The note is cut rather than left out: it comes last.
Widths widths_for(const std::vector<ProgramRow>& rows, std::size_t room) {
  Widths widths{};
  for (std::size_t i = 0; i < widths.size(); ++i) {
    widths[i] = kProgramColumns[i].title.size() + 1;
    for (const ProgramRow& row : rows) widths[i] = std::max(widths[i], length(kProgramColumns[i].cell(row)) + 1);
  }
  for (int least = 2; least > 0; --least) {
    std::size_t all = 0;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) all += widths[i];
    if (all <= room) break;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      if (kProgramColumns[i].importance >= least) widths[i] = 0;
    }
  }
  return widths;
}

Style style_of(const ProgramRow& row) {
  const std::string state = state_of(row);
  if (state == "off" || state == "none") return Style::soft;
  if (row.instance == nullptr) {
    const json::object* schedule = control::object_in(*row.program, "schedule");
    const json::object* last = schedule == nullptr ? nullptr : control::object_in(*schedule, "last");
    const std::string result = last == nullptr ? "" : text_at(*last, "result");
    return result == "failure" || result == "timeout" ? Style::bad : Style::plain;
  }
  if (state == "stopped" || (row.first && maybe_text_at(*row.program, "failure"))) return Style::bad;
  if (state == "ended") return flag_at(*row.program, "up") ? Style::soft : Style::bad;
  return state == "ready" && !maybe_text_at(*row.instance, "cause") ? Style::plain : Style::warning;
}

std::string text_of(const ProgramRow& row, const Widths& widths) {
  std::string text;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] > 0) text += padded(kProgramColumns[i].cell(row), widths[i], kProgramColumns[i].right);
  }
  return text;
}

}  // namespace

std::vector<ProgramRow> program_rows(const Look& now, const Look* before) {
  const Change change = change_of(now, before);
  std::map<std::string, double> were;
  if (change.seconds > 0) {
    for (const json::object* program : objects_in(before->status, "programs")) {
      for (const json::object* instance : objects_in(*program, "instances"))
        were[name_of(*program, *instance)] = cpu_of(*instance);
    }
  }
  std::vector<ProgramRow> rows;
  for (const json::object* program : objects_in(now.status, "programs")) {
    const auto instances = objects_in(*program, "instances");
    if (instances.empty()) rows.push_back({program, nullptr, -1, true});
    for (const json::object* instance : instances) {
      const auto was = were.find(name_of(*program, *instance));
      const double cpu = cpu_of(*instance);
      const bool known = was != were.end() && was->second >= 0 && cpu >= 0;
      rows.push_back({program, instance, known ? std::max(cpu - was->second, 0.0) / change.seconds : -1,
                      instance == instances.front()});
    }
  }
  return rows;
}

std::vector<Line> program_lines(const std::vector<ProgramRow>& rows, std::size_t room, int selected) {
  const Widths widths = widths_for(rows, room);
  std::string title;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] > 0) title += padded(std::string(kProgramColumns[i].title), widths[i], kProgramColumns[i].right);
  }
  std::vector<Line> lines = {{{title, Style::soft}}};
  for (const ProgramRow& row : rows) {
    const bool is_selected = static_cast<int>(lines.size()) - 1 == selected;
    lines.push_back({{text_of(row, widths), is_selected ? Style::selected : style_of(row)}});
  }
  return lines;
}

Line programs_line(const json::object& status) {
  const auto programs = objects_in(status, "programs");
  const auto up = std::count_if(programs.begin(), programs.end(),
                                [](const json::object* program) { return flag_at(*program, "up"); });
  const auto on = std::count_if(programs.begin(), programs.end(),
                                [](const json::object* program) { return flag_at(*program, "on"); });
  return {{std::to_string(up) + "/" + std::to_string(programs.size()), up < on ? Style::warning : Style::strong},
          {" programs are up"}};
}

}  // namespace serval::top
