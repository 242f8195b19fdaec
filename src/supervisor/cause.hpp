#pragma once

#include <string_view>

namespace serval::supervisor {

/// Why a worker ended or was made to. Exactly one per worker, decided once.
enum class Cause {
  none,
  crash,
  boot_failed,
  request_timeout,
  heartbeat_timeout,
  memory_soft,
  memory_hard,
  oom,
  max_requests,
  max_lifetime,
  reload,
  scale,
  manual,
  stop,
};

/// As in the log, status and metrics.
std::string_view name_of(Cause cause);

/// Whether a worker with this cause is as good as any until it leaves, so that it can wait until workers.max_recycling lets it. One that is
/// stuck cannot.
bool can_wait(Cause cause);

}  // namespace serval::supervisor
