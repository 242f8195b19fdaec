#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/time.hpp"

/// What goes into the screen of `serval top` and what comes out of it: plain values.
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

}  // namespace serval::top
