#pragma once

#include <cstdint>

#include "config/config.hpp"
#include "config/cron_times.hpp"

namespace serval::supervisor {

/// As many as workers.count takes.
inline constexpr int kMostWorkers = 1024;

/// What the rules depend on.
struct Settings {
  int workers = 1;                            ///< of a reload: 0 leaves it as it is
  config::Workers limits;                     ///< but for the numbers of workers and threads
  config::Memory memory;
  Duration delay{0};                          ///< a stop goes on serving for so long
  Duration grace = std::chrono::seconds(30);  ///< 0: what drains is cut at once
  config::Restart restart;
  config::Reload reload;
  bool has_app = true;                        ///< else there are programs alone: no mold, no workers
  config::Programs programs{};
  config::OffsetAt offset_at = config::no_offset;  ///< the time zone of their schedules
  /// For the workers of a new generation. One that dies within this after it has said that it is ready (of a limit that
  /// its threads run into, of a database that turns its first query down) was never worth the one that it replaces.
  Duration probation{250};
  int slots = 2 * kMostWorkers + 64;          ///< more are never used
  int forks_per_second = 20;  ///< on average; a crash loop may not become a fork storm
  std::uint64_t seed = 0;     ///< of the jitter
  bool notified = false;      ///< a service manager wants to hear how things are
  std::chrono::microseconds watchdog{0};  ///< how often it expects a sign of life at least; 0: not at all
};

/// A boot of all workers, and one replacement of each, is never slowed down; only what goes on after that.
inline int fork_burst(const Settings& settings) { return 2 * settings.workers + settings.forks_per_second; }

}  // namespace serval::supervisor
