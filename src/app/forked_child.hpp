#pragma once

#include "os/process_claim.hpp"

namespace serval::app {

/// Writes one line to the log and ends this process, without touching anything that it shares with its parent: no exit
/// handlers, no buffers, no connections. `where` names the call of the app that it came out of.
[[noreturn]] void end_forked_child(const char* where) noexcept;

/// An app may fork in any call that serval makes, but only the process that was called may return from it. A child that
/// comes back as well, for want of an _exit or by an exception, would be a second worker (or mold) that nobody knows,
/// with the same connections. To be called wherever the app returns to serval.
inline void end_if_forked(const char* where) noexcept {
  if (os::is_unclaimed_child()) [[unlikely]] end_forked_child(where);
}

/// The same at the end of a block, however it is left.
class AppCall {
 public:
  explicit AppCall(const char* where) : where_(where) {}
  ~AppCall() { end_if_forked(where_); }
  AppCall(const AppCall&) = delete;
  AppCall& operator=(const AppCall&) = delete;

 private:
  const char* where_;
};

}  // namespace serval::app
