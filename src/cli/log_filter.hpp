#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/log_field.hpp"

namespace serval::cli {

/// What a line of serval's log says of itself, in either format and whatever its keys are called. A line that is none
/// of serval's says nothing.
struct LineHead {
  std::string process;  ///< "worker[3]"; empty: not said
  std::optional<log::Level> level;
};
LineHead read_head(std::string_view line);

/// Which lines `serval logs` prints.
struct LogFilter {
  std::string process;                 ///< lines of this process; empty: of any
  std::string program{};               ///< lines of this program, and the master's about it; empty: any
  std::optional<log::Level> at_least;  ///< lines of this level and worse ones; none: all
  std::string text;                    ///< lines that contain it
};
bool passes(const LogFilter& filter, std::string_view line);

/// "warning"; none: it is the name of no level.
std::optional<log::Level> level_of(std::string_view name);

}  // namespace serval::cli
