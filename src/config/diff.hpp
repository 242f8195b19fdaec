#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/options.hpp"

namespace serval::config {

/// An option whose value differs, with both values as text (config/load.hpp: to_text).
struct Change {
  const Option* option;
  std::string before;
  std::string after;
};

/// In the order of the option table.
std::vector<Change> changes(const Config& before, const Config& after);

/// What all of these together need; live for none.
Apply strongest(std::span<const Change> changes);

}  // namespace serval::config
