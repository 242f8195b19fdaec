#include "cli/usage.hpp"

#include <iostream>

#include "base/exit_code.hpp"
#include "base/journal.hpp"

namespace serval::cli {

int usage_error(std::string_view command, std::string_view what, std::string_view hint) {
  std::cerr << "serval" << (command.empty() ? "" : " ") << command << ": " << what << "\n  hint: " << hint << '\n';
  return exit_code::usage;
}

int report_problems(const config::Loaded& loaded) {
  std::cerr << stderr_lines(log::Level::warning, config::format_problems(loaded.notes, "warning"))
            << stderr_lines(log::Level::error, config::format_problems(loaded.problems, "error"));
  return loaded.problems.empty() ? exit_code::ok : exit_code::config;
}

}  // namespace serval::cli
