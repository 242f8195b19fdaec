#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

/// What `serval top` shows, as lines of styled text: of two looks at a server's status and what the user has chosen. No
/// terminal in here, and no clock.
namespace serval::top {

/// Without colours a terminal shows them as bold, underlined or reversed (cli/top.cpp).
enum class Style { plain, strong, soft, good, warning, bad, selected };

struct Piece {
  std::string text;  ///< without control bytes
  Style style = Style::plain;
};
using Line = std::vector<Piece>;

/// One answer of the server.
struct Look {
  boost::json::object status;  ///< as control/status has it
  TimePoint at;
};

/// By what workers are sorted; in the order of the columns.
enum class Column { slot, pid, generation, state, age, rate, requests, connections, busy, waiting, memory, beat };
inline constexpr int kColumns = 12;

struct Chosen {
  Column sort = Column::slot;
  bool descending = false;
  int selected = 0;           ///< row of the table, from 0
  bool show_requests = true;  ///< below their workers
  std::string message{};      ///< of the last command; empty: none
};

struct Size {
  int columns = 80;
  int rows = 24;
};

struct Screen {
  std::vector<Line> lines;  ///< rows of them at most, each of `columns` characters at most
  int workers = 0;          ///< rows that can be selected
  std::optional<int> slot;  ///< of the selected one
};

/// `before` is null for the first look. Any JSON gives some screen.
Screen make_screen(const Look& now, const Look* before, const Chosen& chosen, Size size);

/// What the keys do.
std::vector<Line> help_screen();

/// Cut to so many characters; bytes of UTF-8 that belong together stay so.
std::string cut(const std::string& text, std::size_t characters);

}  // namespace serval::top
