#pragma once

#include <string>
#include <vector>

#include "base/time.hpp"

/// Whether new traffic should be sent to a server. Decided here alone: probes, `serval status`, `serval healthcheck
/// --ready` and the service manager are told the same.
namespace serval {

/// A worker's loop that has not turned for so long takes no requests. It turns every five seconds at least, whatever
/// there is to do, and three times is no accident.
inline constexpr Duration kSilentAfter = std::chrono::seconds(15);

/// `beat`: its last sign of life; zero: it is about to give the first one.
inline bool is_silent(TimePoint beat, TimePoint now, Duration limit = kSilentAfter) {
  return beat > TimePoint{} && now - beat > limit;
}

/// Two generations serve, to be compared.
struct Comparison {
  int generation = 0;  ///< the newer one; 0: nothing is compared
  int permille = 0;    ///< its part of the workers, and of the requests

  bool on() const { return generation != 0; }
  bool operator==(const Comparison&) const = default;
};

/// What only the master knows of it.
struct ServerState {
  bool booting = false;     ///< not all workers have served together yet
  bool stopping = false;    ///< asked to; it may serve on for shutdown.delay
  bool draining = false;    ///< serval drain
  bool paused = false;      ///< serval pause
  Comparison comparison{};  ///< no reason not to be ready

  bool operator==(const ServerState&) const = default;
};

struct Readiness : ServerState {
  bool drain_file = false;  ///< health.drain_file exists
  int serving = 0;          ///< workers
  int declining = 0;        ///< of those, the app's ready() says no
  int silent = 0;           ///< of the others, stopped or hung: no sign of life for kSilentAfter
  int needed = 1;           ///< health.ready_workers

  /// What one of those that serve says and does.
  void count(bool declines, bool gives_no_sign) {
    if (declines) {
      ++declining;
    } else if (gives_no_sign) {
      ++silent;
    }
  }
  /// Workers that take requests.
  int ready() const { return serving - declining - silent; }
};

/// Why it should not, one sentence each, without a full stop; empty: it should.
std::vector<std::string> reasons_not_ready(const Readiness& server);
/// The same in one line; empty: it should.
std::string why_not_ready(const Readiness& server);

}  // namespace serval
