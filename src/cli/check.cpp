#include "cli/bodies.hpp"

#include <chrono>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/usage.hpp"
#include "config/cron.hpp"
#include "config/cron_times.hpp"
#include "config/programs.hpp"
#include "master/obstacles.hpp"
#include "mold/try_load.hpp"
#include "os/time_zone.hpp"

namespace serval::cli {
namespace {

/// How many variables, and none by its name: what a file is for shows in that.
void tell_env_files(const config::Loaded& loaded) {
  for (const config::EnvFileRead& file : loaded.env_files) {
    std::cout << file.option << ": " << file.path << ": ";
    if (file.missing) {
      std::cout << "there is none, as may be\n";
    } else {
      std::cout << file.variables << (file.variables == 1 ? " variable\n" : " variables\n");
    }
  }
}

constexpr int kShownTimes = 3;

/// What a line of cron means is best seen by what comes of it.
void show_schedules(const config::Programs& programs) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  for (const auto& [name, program] : programs) {
    if (program.every > Duration::zero())
      std::cout << "program " << name << " runs every " << format_duration(program.every) << " from its start on\n";
    const auto cron = config::parse_cron(program.cron);
    if (!cron) continue;
    std::vector<std::string> times;
    std::optional<std::int64_t> at = now.count();
    for (int i = 0; i < kShownTimes; ++i) {
      at = config::next_after(*cron, *at, os::offset_at);
      if (!at) break;
      times.push_back(config::format_moment(*at, os::offset_at));
    }
    std::cout << "program " << name << " runs next at " << join(times, ", ") << '\n';
  }
}

}  // namespace

int check(const Invocation& invocation) {
  const auto loaded = config::load(invocation.sources);
  if (const int code = report_problems(loaded); code != exit_code::ok) return code;
  const auto obstacles = master::obstacles(loaded.config);
  for (const std::string& obstacle : obstacles) std::cerr << "serval check: " << obstacle << '\n';
  if (!obstacles.empty()) return exit_code::config;
  show_schedules(loaded.config.programs);
  tell_env_files(loaded);
  if (!loaded.config.has_app()) {
    std::cout << "the configuration is right: " << loaded.config.programs.size() << " programs, and no app\n";
    return exit_code::ok;
  }
  const auto tasks = mold::try_load(loaded.config);
  const std::string missing = tasks ? config::why_tasks_missing(loaded.config.programs, *tasks) : "";
  if (!tasks || !missing.empty()) {
    std::cerr << "serval check: " << (tasks ? missing : tasks.error()) << '\n';
    return exit_code::config;  // what is checked is the configuration as a whole, and it names this app
  }
  std::cout << "the configuration is right and the app loads: " << loaded.config.app.library << '\n';
  return exit_code::ok;
}

}  // namespace serval::cli
