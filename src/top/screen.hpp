#pragma once

#include <optional>
#include <vector>

#include "top/look.hpp"

/// What `serval top` shows, as lines of styled text: of two looks at a server's status and what the user has chosen. No
/// terminal in here, and no clock.
namespace serval::top {

struct Screen {
  std::vector<Line> lines;  ///< rows of them at most, each of `columns` characters at most
  int selectable = 0;       ///< rows: of workers, or without an app of programs
  std::optional<int> slot;  ///< of the selected worker
};

/// `before` is null for the first look. Any JSON gives some screen.
Screen make_screen(const Look& now, const Look* before, const Chosen& chosen, Size size);

/// What the keys do.
std::vector<Line> help_screen();

}  // namespace serval::top
