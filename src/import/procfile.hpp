#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace serval::import {

/// What surrounds a Procfile.
struct ProcfileSetting {
  std::string name = "Procfile";  ///< as the user named it
  bool has_env_file = false;      ///< there is a .env beside it
  std::string port{};             ///< what that says of PORT; empty: nothing
};

/// The serval.toml that does what foreman does with this Procfile, with comments where it does something else. The
/// error is a sentence: no line of it names a process. Pure.
Result<std::string> procfile_to_toml(std::string_view procfile, const ProcfileSetting& setting);

}  // namespace serval::import
