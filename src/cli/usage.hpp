#pragma once

#include <string>
#include <string_view>

#include "config/load.hpp"

namespace serval::cli {

/// Says on standard error what is wrong with the command line, in one line and a hint; returns the exit code for it.
/// `command` may be empty.
int usage_error(std::string_view command, std::string_view what, std::string_view hint);

/// Prints notes and problems on standard error. Returns the exit code for them: ok if there are no problems.
int report_problems(const config::Loaded& loaded);

}  // namespace serval::cli
