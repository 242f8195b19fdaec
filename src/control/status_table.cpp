#include "control/status_table.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "base/log_text.hpp"
#include "base/text.hpp"
#include "control/program_table.hpp"
#include "control/shown.hpp"

namespace serval::control {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxTarget = 100;

// --- the table

struct Column {
  std::string_view title;
  bool right;
  std::string (*cell)(const json::object& worker);
};

std::string memory_cell(const json::object& worker) {
  const std::string size = size_in(worker, "memory_bytes");
  return text_at(worker, "memory_measure") == "rss" ? size + " rss" : size;
}

std::string without_blanks(std::string text) {
  std::erase(text, ' ');
  return text;
}

/// What is not as usual with it; empty: nothing.
std::string note_on(const json::object& worker) {
  std::vector<std::string> notes;
  const std::string cause = text_at(worker, "cause");
  if (cause != kUnknown) {
    notes.push_back((text_at(worker, "state") == "serving" ? "to be replaced: " : "goes: ") + cause);
  }
  const auto* ready = worker.if_contains("ready");
  if (flag_at(worker, "stopped")) {
    notes.emplace_back("stopped by a signal or a debugger");
  } else if (ready != nullptr && ready->is_bool() && !ready->as_bool() && text_at(worker, "state") == "serving") {
    notes.emplace_back(flag_at(worker, "silent") ? "no sign of life" : "the app is not ready");
  }
  if (number_at(worker, "restart_in_ms")) notes.push_back("starts again in " + time_in(worker, "restart_in_ms", 1));
  if (number_at(worker, "crashes_in_a_row").value_or(0) > 1) {
    notes.push_back(number(worker, "crashes_in_a_row") + " crashes in a row");
  }
  return join(notes, ", ");
}

constexpr Column kColumns[] = {
    {"SLOT", true, [](const json::object& worker) { return number(worker, "slot"); }},
    {"PID", true, [](const json::object& worker) { return number(worker, "pid"); }},
    {"GEN", true, [](const json::object& worker) { return number(worker, "generation"); }},
    {"STATE", false, [](const json::object& worker) { return text_at(worker, "state"); }},
    {"AGE", false, [](const json::object& worker) { return without_blanks(time_in(worker, "age_s", 1000)); }},
    {"REQUESTS", true, [](const json::object& worker) { return number(worker, "requests"); }},
    {"CONNS", true, [](const json::object& worker) { return number(worker, "connections"); }},
    {"BUSY", true,
     [](const json::object& worker) { return number(worker, "running") + "/" + number(worker, "threads"); }},
    {"WAIT", true, [](const json::object& worker) { return number(worker, "waiting"); }},
    {"MEMORY", true, memory_cell},
    {"BEAT", false, [](const json::object& worker) { return time_in(worker, "beat_age_ms", 1); }},
};
/// Between columns: with long pids, ages and sizes a row still fits a terminal.
constexpr std::size_t kGap = 1;
/// The indent of lines below a row.
constexpr std::size_t kIndent = 6;

using Row = std::vector<std::string>;

std::string line_of(const Row& row, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) line.append(kGap, ' ');
    const std::string padding(widths[i] - row[i].size(), ' ');
    line += kColumns[i].right ? padding + row[i] : row[i] + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::string below_row(const std::string& text) { return std::string(kIndent, ' ') + text + '\n'; }

std::string request_lines(const json::object& request) {
  std::string what = text_at(request, "method") + " " + shortened(text_at(request, "target"), kMaxTarget) + " for " +
                     time_in(request, "age_ms", 1);
  if (const auto left = number_at(request, "deadline_in_ms")) {
    what += *left >= 0 ? ", " + show_time(*left) + " left"
                       : ", " + show_time(-std::max(*left, -INT64_MAX)) + " past its deadline";
  }
  return below_row(what) + below_row("  from " + text_at(request, "peer") + ", thread " + number(request, "thread") +
                                     ", id " + text_at(request, "request_id"));
}

std::string workers_table(const std::vector<const json::object*>& workers) {
  std::vector<Row> rows(1);
  for (const Column& column : kColumns) rows[0].emplace_back(column.title);
  for (const json::object* worker : workers) {
    Row& row = rows.emplace_back();
    for (const Column& column : kColumns) row.push_back(column.cell(*worker));
  }
  std::vector<std::size_t> widths(std::size(kColumns));
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text = line_of(rows[0], widths);
  for (std::size_t i = 0; i < workers.size(); ++i) {
    text += line_of(rows[i + 1], widths);
    if (const std::string note = note_on(*workers[i]); !note.empty()) text += below_row(note);
    for (const json::object* request : objects_in(*workers[i], "in_progress")) text += request_lines(*request);
  }
  return text;
}

// --- above and below it

std::string milliseconds_at(const json::object& generation, std::string_view key) {
  const auto value = decimal_at(generation, key);
  if (!value) return std::string(kUnknown);
  const auto tenths = static_cast<std::int64_t>(std::clamp(*value, 0.0, 1e12) * 10 + 0.5);
  return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) + " ms";
}

std::string count_of(const json::object& generation, std::string_view key, std::string_view one) {
  const std::string count = number(generation, key);
  return count + " " + std::string(one) + (count == "1" ? "" : "s");
}

/// One line for each, and one below it that names the code.
std::string generation_lines(const json::object& status) {
  std::string text;
  for (const json::object* generation : objects_in(status, "generations")) {
    text += "generation " + number(*generation, "number") + " " + text_at(*generation, "state") + ", " +
            time_in(*generation, "since_s", 1000) + " old: " + count_of(*generation, "requests", "request") + ", " +
            count_of(*generation, "errors", "error") + ", p50 " + milliseconds_at(*generation, "p50_ms") + ", p95 " +
            milliseconds_at(*generation, "p95_ms") + '\n';
    std::string code = text_at(*generation, "library");
    if (const std::string build = text_at(*generation, "build"); build != kUnknown) code += ", build " + build;
    text += below_row(code);
  }
  return text.empty() ? text : '\n' + text;
}

std::string answers_summary(const json::object& status) {
  const json::object* totals = object_in(status, "totals");
  if (totals == nullptr) return {};
  std::string text = ", " + number(*totals, "requests") + " requests answered";
  std::uint64_t failed = 0;  // its sum may be out of range, since an app can write anything over the scoreboard
  if (const json::object* answers = object_in(*totals, "answers")) {
    for (const auto& answer : *answers) {
      if (answer.key().starts_with('5') && answer.value().is_int64()) {
        failed += static_cast<std::uint64_t>(answer.value().get_int64());
      }
    }
  }
  return failed > 0 ? text + " (5xx: " + std::to_string(failed) + ")" : text;
}

std::string server_lines(const json::object& status, const std::vector<const json::object*>& workers) {
  const auto serves = [](const json::object* worker) { return text_at(*worker, "state") == "serving"; };
  const auto serving = std::count_if(workers.begin(), workers.end(), serves);
  std::string text = text_at(status, "name") + ", serval " + text_at(status, "version") + ", pid " +
                     number(status, "pid") + ": " + text_at(status, "state") + ", up for " +
                     time_in(status, "uptime_s", 1000) + ", generation " + number(status, "generation") + '\n';
  const bool has_app = number_at(status, "workers_wanted") != 0 || !workers.empty();
  const bool extra = serving > number_at(status, "workers_wanted").value_or(0);  // canaries beside the old ones
  const std::string workers_serve = extra ? " workers serve, " + number(status, "workers_wanted") + " wanted"
                                          : " of " + number(status, "workers_wanted") + " workers serve";
  text += has_app ? std::to_string(serving) + workers_serve + answers_summary(status) : "programs only";
  const json::object* mold = object_in(status, "mold");
  if (has_app && mold != nullptr && text_at(*mold, "state") != "ready") text += ", mold " + text_at(*mold, "state");
  const std::string unready = text_at(status, "unready");
  if (unready != kUnknown && unready != text_at(status, "state")) text += "\nnot ready: " + unready;
  return text + '\n';
}

std::string ended_line(const json::object& status) {
  const json::object* ended = object_in(status, "ended");
  if (ended == nullptr || ended->empty()) return {};
  std::vector<std::string> causes;
  for (const auto& cause : *ended) {
    std::string name;
    log::append_text(name, std::string_view(cause.key().data(), cause.key().size()), false);
    causes.push_back(name + " " + number(*ended, std::string_view(cause.key().data(), cause.key().size())));
  }
  return '\n' + wrapped("ended: " + join(causes, ", "), kTerminalColumns) + '\n';
}

}  // namespace

std::string format_status(const json::object& status) {
  const auto workers = objects_in(status, "workers");
  std::string text = server_lines(status, workers);
  if (!workers.empty()) text += '\n' + workers_table(workers);
  text += program_table(status);
  return text + generation_lines(status) + ended_line(status);
}

}  // namespace serval::control
