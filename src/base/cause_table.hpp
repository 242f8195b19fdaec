#pragma once

#include <cstddef>
#include <iterator>
#include <string_view>

/// Why a worker ended or was made to: exactly one of these per worker, decided once. One table: the supervisor acts by
/// it; log, status and metrics use its names; the man page prints it.
namespace serval {

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
  grace_over,
  unfit,
};

struct CauseRow {
  Cause cause;
  std::string_view name;
  /// Until it leaves such a worker is as good as any: it waits until workers.max_recycling lets it. The others are
  /// stuck, gone or unwanted.
  bool can_wait;
  std::string_view meaning;
};

inline constexpr CauseRow kCauseTable[] = {
    {Cause::none, "none", false, "it lives"},
    {Cause::crash, "crash", false, "it ended by itself: by a signal, or with any exit code"},
    {Cause::boot_failed, "boot_failed", false, "it failed to start, or was not ready within workers.boot_timeout"},
    {Cause::request_timeout, "request_timeout", false,
     "a handler ran past its deadline (request.timeout); its thread cannot be reclaimed"},
    {Cause::heartbeat_timeout, "heartbeat_timeout", false,
     "its I/O loop made no progress for workers.heartbeat_timeout"},
    {Cause::memory_soft, "memory_soft", true, "it was above memory.soft at memory.samples looks in a row"},
    {Cause::memory_hard, "memory_hard", false, "it was above memory.hard at two looks in a row"},
    {Cause::oom, "oom", false, "the kernel killed it because memory ran out, in its cgroup or in the machine"},
    {Cause::max_requests, "max_requests", true,
     "it answered workers.max_requests requests, and its part of the jitter"},
    {Cause::max_lifetime, "max_lifetime", true, "it lived for workers.max_lifetime, and its part of the jitter"},
    {Cause::reload, "reload", true, "newer code was loaded"},
    {Cause::scale, "scale", false, "fewer workers were asked for"},
    {Cause::manual, "manual", true, "somebody asked for it"},
    {Cause::stop, "stop", false, "the server stopped"},
    {Cause::grace_over, "grace_over", false, "it did not drain within shutdown.grace: what it still had was cut"},
    {Cause::unfit, "unfit", false, "it could not serve well any more: no descriptors were left, it took no messages, or the app had closed one of serval's"},
};

constexpr const CauseRow& row_of(Cause cause) { return kCauseTable[static_cast<int>(cause)]; }
/// "?" for a number that is no cause.
constexpr std::string_view name_of(Cause cause) {
  const auto index = static_cast<std::size_t>(cause);
  return index < std::size(kCauseTable) ? kCauseTable[index].name : "?";
}
constexpr bool can_wait(Cause cause) { return row_of(cause).can_wait; }

static_assert([] {
  for (const CauseRow& row : kCauseTable) {
    if (row_of(row.cause).name != row.name) return false;
  }
  return true;
}(), "the rows are in the order of the enum");

}  // namespace serval
