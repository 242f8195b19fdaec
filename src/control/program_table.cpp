#include "control/program_table.hpp"

#include <algorithm>
#include <boost/json/value.hpp>
#include <vector>

#include "base/text.hpp"
#include "control/shown.hpp"

namespace serval::control {
namespace {

namespace json = boost::json;

using Row = std::vector<std::string>;

constexpr std::size_t kIndent = 6;

/// What is not as usual with it; empty: nothing.
std::string note_on(const json::object& instance) {
  std::vector<std::string> notes;
  const std::string state = text_at(instance, "state");
  if (const auto cause = maybe_text_at(instance, "cause"))
    notes.push_back((state == "ready" ? "to be replaced: " : "goes: ") + *cause);
  if (number_at(instance, "restart_in_ms")) notes.push_back("starts again in " + time_in(instance, "restart_in_ms", 1));
  if (state == "waiting" || state == "ended") {
    if (const auto ended = maybe_text_at(instance, "ended")) notes.push_back("ended: " + *ended);
  }
  if (number_at(instance, "failures").value_or(0) > 1)
    notes.push_back(number(instance, "failures") + " failures in a row");
  if (flag_at(instance, "stopped")) notes.emplace_back("stopped by a signal or a debugger");
  if (flag_at(instance, "outdated")) notes.push_back("its table has changed since");
  if (const auto status = maybe_text_at(instance, "status")) notes.push_back(*status);
  return join(notes, ", ");
}

/// "; */5 * * * *, next 2026-11-28 15:00:00 +01:00, last success after 1.2s"
std::string schedule_of(const json::object& program, const json::object& schedule) {
  std::string text = text_at(program, "name") + " " + (flag_at(program, "on") ? "scheduled" : "stopped") + ", " +
                     text_at(schedule, "when");
  if (const auto next = maybe_text_at(schedule, "next")) text += ", next " + *next;
  const json::object* last = object_in(schedule, "last");
  if (last == nullptr) return text + ", has not run yet";
  const std::string result = text_at(*last, "result");
  text += "\n" + std::string(kIndent, ' ') + "last " + text_at(*last, "began") + ", " + result;
  if (result != "success") text += " (" + text_at(*last, "how") + ")";
  return text + " after " + time_in(*last, "took_ms", 1);
}

std::string state_of(const json::object& program) {
  if (!flag_at(program, "on")) return "stopped";
  return flag_at(program, "up") ? "up" : "not up";
}

}  // namespace

std::string program_table(const json::object& status) {
  const auto programs = objects_in(status, "programs");
  if (programs.empty()) return {};
  std::vector<Row> rows = {{"PROGRAM", "NO", "PID", "STATE", "AGE", "MEMORY"}};
  std::vector<std::string> notes = {""};
  for (const json::object* program : programs) {
    const auto instances = objects_in(*program, "instances");
    const std::string restarts = std::to_string(sum_in(*program, "restarts"));
    const auto task = maybe_text_at(*program, "task");
    std::string about = text_at(*program, "name") + (task ? " (" + *task + ") " : " ") + state_of(*program) + ", " +
                        number(*program, "wanted") + " wanted" + (restarts == "0" ? "" : ", " + restarts + " restarts");
    if (const json::object* schedule = object_in(*program, "schedule")) about = schedule_of(*program, *schedule);
    if (const auto failure = maybe_text_at(*program, "failure")) about += ": " + *failure;
    rows.push_back({about});
    notes.emplace_back();
    for (const json::object* instance : instances) {
      std::string age = time_in(*instance, "age_s", 1000);
      std::erase(age, ' ');
      rows.push_back({text_at(*program, "name"), number(*instance, "instance"), number(*instance, "pid"),
                      text_at(*instance, "state"), age, size_in(*instance, "memory_bytes")});
      notes.push_back(note_on(*instance));
    }
  }
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; row.size() > 1 && i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  // Programs with a schedule have no instances between their runs.
  const bool any = std::any_of(rows.begin() + 1, rows.end(), [](const Row& row) { return row.size() > 1; });
  std::string text = any ? "\n" : "";
  std::string heads;
  for (std::size_t i = any ? 0 : 1; i < rows.size(); ++i) {
    if (rows[i].size() == 1) {
      heads += rows[i].front() + '\n';
      continue;
    }
    std::string line;
    for (std::size_t column = 0; column < rows[i].size(); ++column) {
      const std::string padding(widths[column] - rows[i][column].size(), ' ');
      const bool right = column == 1 || column == 2 || column == 5;
      line += (column > 0 ? " " : "") + (right ? padding + rows[i][column] : rows[i][column] + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
    if (!notes[i].empty()) text += std::string(kIndent, ' ') + notes[i] + '\n';
  }
  return text + '\n' + heads;
}

}  // namespace serval::control
