#include "master/status_maker.hpp"

#include <unistd.h>

#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include "base/log.hpp"
#include "os/thread_stat.hpp"

namespace serval::master {
namespace {

using namespace std::chrono_literals;

constexpr MemoryFigures::Look kForPerson{.patience = 50ms};
constexpr MemoryFigures::Look kForAdmin{.patience = 2ms, .good_for = 10s};

}  // namespace

boost::json::object StatusMaker::make(For whom) {
  const TimePoint now = Clock::now();
  const config::Config& config = parts_.config();
  const supervisor::Snapshot snapshot = parts_.supervisor.snapshot();
  std::set<pid_t> living;
  for (const auto& worker : snapshot.workers) living.insert(worker.pid);
  memory_.keep(living);
  std::function<std::optional<control::MemoryReading>(pid_t)> memory = [](pid_t) { return std::nullopt; };
  if (whom != For::probe) memory = MemoryFigures::Round(memory_, whom == For::person ? kForPerson : kForAdmin, now);
  return control::make_status({.name = config.server.name,
                               .version = SERVAL_VERSION,
                               .pid = ::getpid(),
                               .threads = config.workers.threads,
                               .ready_workers = config.has_app() ? config.health.ready_workers : 0,
                               .begun = parts_.begun,
                               .snapshot = snapshot,
                               .scoreboard = parts_.scoreboard,
                               .memory = std::move(memory),
                               .stopped = [whom](pid_t pid) { return whom != For::probe && os::is_stopped(pid); },
                               .code = parts_.code,
                               .listeners = parts_.listeners(),
                               .programs = parts_.programs(whom != For::probe),
                               .admin = parts_.admin_address(),
                               .config_file = parts_.config_file(),
                               .log_file = config::names_file(config.log.file) ? config.log.file : std::string_view(),
                               .program_tables = &config.programs,
                               .log_lines_dropped = log::dropped() + parts_.lost_program_lines()},
                              now);
}

}  // namespace serval::master
