#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/options.hpp"

namespace serval::config {

/// An option whose value differs.
struct Change {
  const Option* option;
  std::string key;     ///< its path; for one entry of a secret table "app.env.NAME"
  std::string before;  ///< as text (config/load.hpp: to_text); empty if it may be secret
  std::string after;   ///< likewise
  std::string_view how;  ///< of what may be secret: "changed", "added" or "removed"; else empty
};

/// In the order of the option table. Values of secret options are in none of it, nor those that came from variables
/// before or come from them now.
std::vector<Change> changes(const Config& before, const Config& after);

/// What all of these together need; live for none.
Apply strongest(std::span<const Change> changes);

}  // namespace serval::config
