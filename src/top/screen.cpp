#include "top/screen.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "control/shown.hpp"
#include "top/programs.hpp"
#include "top/summary.hpp"
#include "top/table.hpp"
#include "top/text.hpp"

namespace serval::top {
namespace {

using control::number_at;
using control::objects_in;

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

/// A table that may be longer than the room for it.
struct Table {
  Line title{};
  std::vector<Line> lines{};
  std::size_t selected_at = 0;  ///< of the lines
};

Table workers_table(const Look& now, const Look* before, const Chosen& chosen, std::size_t columns, Screen& screen) {
  std::vector<Row> rows = rows_of(now, before);
  sort(rows, chosen);
  screen.selectable = static_cast<int>(rows.size());
  const int selected = std::clamp(chosen.selected, 0, std::max(screen.selectable - 1, 0));
  const auto widths = widths_for(rows, chosen.sort, columns);
  Table table{.title = title_line(widths, chosen)};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool is_selected = static_cast<int>(i) == selected;
    if (is_selected) {
      table.selected_at = table.lines.size();
      if (const auto slot = number_at(*rows[i].worker, "slot")) screen.slot = static_cast<int>(*slot);
    }
    table.lines.push_back(row_line(rows[i], widths, is_selected));
    if (!chosen.show_requests) continue;
    for (const boost::json::object* request : objects_in(*rows[i].worker, "in_progress"))
      table.lines.push_back(request_line(*request));
  }
  return table;
}

/// The title, and lines below it with the selected one among them.
std::vector<Line> in_sight(const Table& table, std::size_t room) {
  if (room == 0) return {};
  std::vector<Line> lines = {table.title};
  const std::size_t first = table.selected_at + 1 < room || room == 1 ? 0 : table.selected_at + 2 - room;
  for (std::size_t i = first; i < std::min(table.lines.size(), first + room - 1); ++i) lines.push_back(table.lines[i]);
  return lines;
}

std::vector<Line> beginning_of(std::vector<Line> lines, std::size_t room) {
  if (lines.size() <= room) return lines;
  const std::size_t left_out = lines.size() - room + 1;
  lines.resize(room);
  lines.back() = {{"and " + std::to_string(left_out) + " more: serval status", Style::soft}};
  return lines;
}

void append(std::vector<Line>& lines, const std::vector<Line>& more) {
  lines.insert(lines.end(), more.begin(), more.end());
}

}  // namespace

Screen make_screen(const Look& now, const Look* before, const Chosen& chosen, Size size) {
  Screen screen;
  const auto columns = static_cast<std::size_t>(std::max(size.columns, 1));
  const auto total = static_cast<std::size_t>(std::max(size.rows, 1));
  const std::vector<ProgramRow> programs = program_rows(now, before);
  std::vector<Line> top = summary(now, before);
  if (!programs.empty()) top.push_back(programs_line(now.status));
  top.emplace_back();
  const std::size_t room = total > top.size() + 1 ? total - top.size() - 1 : 0;  // the last line is for the keys
  Table workers;
  std::vector<Line> below;
  if (has_app(now.status)) {
    workers = workers_table(now, before, chosen, columns, screen);
    if (!programs.empty()) below = program_lines(programs, columns, -1);
  } else {
    screen.selectable = static_cast<int>(programs.size());
    workers.selected_at = static_cast<std::size_t>(std::clamp(chosen.selected, 0, std::max(screen.selectable - 1, 0)));
    std::vector<Line> lines = program_lines(programs, columns, static_cast<int>(workers.selected_at));
    workers.title = lines.front();
    workers.lines.assign(lines.begin() + 1, lines.end());
  }
  // Each table has what it needs if there is room for both, and half of it otherwise.
  const std::size_t wanted_below = below.empty() ? 0 : below.size() + 1;
  const std::size_t room_below =
      std::min(wanted_below, std::max(room / 2, room - std::min(room, workers.lines.size() + 1)));
  screen.lines = std::move(top);
  append(screen.lines, in_sight(workers, room - room_below));
  if (room_below > 1) {
    screen.lines.emplace_back();
    append(screen.lines, beginning_of(std::move(below), room_below - 1));
  }
  screen.lines.resize(total - 1);
  screen.lines.push_back(chosen.message.empty() ? Line{{std::string(kKeys), Style::soft}}
                                                : Line{{chosen.message, Style::strong}});
  for (Line& line : screen.lines) line = cut(line, columns);
  return screen;
}

std::vector<Line> help_screen() {
  const auto key = [](std::string keys, std::string does) {
    keys.resize(16, ' ');
    return Line{{std::move(keys), Style::strong}, {std::move(does)}};
  };
  return {{{"serval top", Style::strong}},
          {},
          key("up, down, k, j", "select a worker, or move through programs without an app"),
          key("s", "sort by the next column"),
          key("S", "turn the order around"),
          key("t", "show or hide the requests in progress"),
          key("r", "recycle the selected worker: its successor serves first"),
          key("d", "drain the server (report not ready), or end that"),
          key("x", "stacks of the selected worker"),
          key("space", "look now"),
          key("q, Control-C", "quit"),
          {},
          {{"Rates and latencies are of the time since the look before. A worker in"}},
          {{"warning colours starts, leaves, has to be replaced, or its app is not ready;"}},
          {{"one that is stopped or silent does not serve, whatever else it looks like."}}};
}

}  // namespace serval::top
