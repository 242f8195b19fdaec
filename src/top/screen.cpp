#include "top/screen.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "control/shown.hpp"
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

}  // namespace

Screen make_screen(const Look& now, const Look* before, const Chosen& chosen, Size size) {
  Screen screen;
  std::vector<Row> rows = rows_of(now, before);
  sort(rows, chosen);
  screen.workers = static_cast<int>(rows.size());
  const int selected = std::clamp(chosen.selected, 0, std::max(screen.workers - 1, 0));
  const auto columns = static_cast<std::size_t>(std::max(size.columns, 1));
  std::vector<Line> top = summary(now, before);
  top.emplace_back();
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
    for (const boost::json::object* request : objects_in(*rows[i].worker, "in_progress"))
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
    keys.resize(16, ' ');
    return Line{{std::move(keys), Style::strong}, {std::move(does)}};
  };
  return {{{"serval top", Style::strong}},
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
          {{"Rates and latencies are of the time since the look before. A worker in"}},
          {{"warning colours starts, leaves, has to be replaced, or its app is not ready."}}};
}

}  // namespace serval::top
