#pragma once

#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/sampler.hpp"
#include "config/config.hpp"
#include "os/unique_fd.hpp"

namespace serval::ipc {

/// A listening socket as every process sees it.
struct Listener {
  int fd = -1;          ///< borrowed; the same number in master, mold and workers of one generation
  std::string address;  ///< as configured and reported: "127.0.0.1:8000", "[::1]:8000", "unix:/run/shop.sock"
  bool local = false;   ///< a unix socket: the peer has no address and counts as "unix"
};

/// All that crosses the exec from master to mold, and by fork from there to the workers; and to the admin process,
/// which gets no more of it than it needs. Written as JSON into a memfd, whose number is the only argument of the
/// hidden commands `serval mold FD` and `serval admin FD`. Every other descriptor is close-on-exec.
struct Heritage {
  config::Config config;  ///< effective, validated; paths are absolute; server.name is filled in
  int generation = 0;
  int orders_fd = -1;       ///< its end of its ipc::Channel: what it is told comes in here ...
  int reports_fd = -1;      ///< ... and what it says goes out here
  int life_fd = -1;         ///< read end of a pipe that is never written to: end of file means that the master is gone
  int master_pid = 0;       ///< the workers' parent
  int scoreboard_fd = -1;   ///< the scoreboard's memory
  int app_metrics_fd = -1;  ///< that of the app's own metrics (metrics/memory.hpp); -1: they are not counted
  int log_fd = 2;           ///< serval's log
  int access_fd = -1;       ///< the access log; -1: off
  int lobby_entry_fd = -1;  ///< where a draining worker puts its connections (ipc/lobby.hpp); -1: nowhere
  int lobby_exit_fd = -1;   ///< where the others take them
  int spans_fd = -1;        ///< where spans go (ipc/spans.hpp), for the admin process: come from; -1: nothing is traced
  Sampler sampler;          ///< which traces are kept
  int cpus = 0;             ///< that may be used; 0: not said
  int task_sockets = 0;     ///< how many numbers from 3 on are kept free of the app's files, for tasks with sockets
  std::vector<Listener> listeners;

  /// All that it names, but for those up to 2.
  std::vector<int> fds() const;
};

/// A sealed memfd at offset 0 holding `heritage`.
Result<UniqueFd> write_heritage(const Heritage& heritage);
Result<Heritage> read_heritage(int fd);

/// How this process logs to `fd`.
log::Settings log_settings(const config::Log& config, int fd);

}  // namespace serval::ipc
