#include "cli/bodies.hpp"

#include <iostream>

#include "base/exit_code.hpp"
#include "cli/usage.hpp"
#include "master/obstacles.hpp"
#include "mold/try_load.hpp"

namespace serval::cli {

int check(const Invocation& invocation) {
  const auto loaded = config::load(invocation.sources);
  if (const int code = report_problems(loaded); code != exit_code::ok) return code;
  const auto obstacles = master::obstacles(loaded.config);
  for (const std::string& obstacle : obstacles) std::cerr << "serval check: " << obstacle << '\n';
  if (!obstacles.empty()) return exit_code::config;
  if (!loaded.config.has_app()) {
    std::cout << "the configuration is right: " << loaded.config.programs.size() << " programs, and no app\n";
    return exit_code::ok;
  }
  if (const auto app = mold::try_load(loaded.config); !app) {
    std::cerr << "serval check: " << app.error() << '\n';
    return exit_code::config;  // what is checked is the configuration as a whole, and it names this app
  }
  std::cout << "the configuration is right and the app loads: " << loaded.config.app.library << '\n';
  return exit_code::ok;
}

}  // namespace serval::cli
