#include "supervisor/cause.hpp"

namespace serval::supervisor {

std::string_view name_of(Cause cause) {
  switch (cause) {
    case Cause::none: return "none";
    case Cause::crash: return "crash";
    case Cause::boot_failed: return "boot_failed";
    case Cause::request_timeout: return "request_timeout";
    case Cause::heartbeat_timeout: return "heartbeat_timeout";
    case Cause::memory_soft: return "memory_soft";
    case Cause::memory_hard: return "memory_hard";
    case Cause::oom: return "oom";
    case Cause::max_requests: return "max_requests";
    case Cause::max_lifetime: return "max_lifetime";
    case Cause::reload: return "reload";
    case Cause::scale: return "scale";
    case Cause::manual: return "manual";
    case Cause::stop: return "stop";
  }
  return "?";
}

bool can_wait(Cause cause) {
  switch (cause) {
    case Cause::memory_soft:
    case Cause::max_requests:
    case Cause::max_lifetime:
    case Cause::reload:
    case Cause::manual: return true;
    case Cause::none:
    case Cause::crash:
    case Cause::boot_failed:
    case Cause::request_timeout:
    case Cause::heartbeat_timeout:
    case Cause::memory_hard:
    case Cause::oom:
    case Cause::scale:
    case Cause::stop: return false;
  }
  return false;
}

}  // namespace serval::supervisor
