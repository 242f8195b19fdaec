#pragma once

#include <string>
#include <vector>

/// Whether new traffic should be sent to a server. Decided here alone: probes, `serval status`, `serval healthcheck
/// --ready` and the service manager are told the same.
namespace serval {

/// What only the master knows of it.
struct ServerState {
  bool booting = false;   ///< not all workers have served together yet
  bool stopping = false;  ///< asked to; it may serve on for shutdown.delay
  bool draining = false;  ///< serval drain
  bool paused = false;    ///< serval pause
  bool comparing = false;  ///< two generations serve to be compared; it is no reason not to be ready

  bool operator==(const ServerState&) const = default;
};

struct Readiness : ServerState {
  bool drain_file = false;  ///< health.drain_file exists
  int serving = 0;          ///< workers
  int declining = 0;        ///< of those, the app's ready() says no
  int needed = 1;           ///< health.ready_workers
};

/// Why it should not, one sentence each, without a full stop; empty: it should.
std::vector<std::string> reasons_not_ready(const Readiness& server);
/// The same in one line; empty: it should.
std::string why_not_ready(const Readiness& server);

}  // namespace serval
