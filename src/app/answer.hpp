#pragma once

#include <chrono>
#include <string_view>

#include "http/response.hpp"

namespace serval::app {

/// Takes the app's answer, on the thread that runs handle(). Exactly one call per request: respond() or fail().
class Answer {
 public:
  using Response = http::Response;
  virtual void respond(const Response& response) = 0;
  /// The app failed: 500; `why` (an exception's text, "returned without an answer") goes to the log, not to the client.
  virtual void fail(std::string_view why) = 0;

  // Asked by the app while handle() runs, on its thread.
  virtual std::chrono::steady_clock::time_point deadline() const {
    return std::chrono::steady_clock::time_point::max();
  }
  virtual bool extend(std::chrono::nanoseconds) { return true; }  ///< from now; false: too late
  virtual bool cancelled() const { return false; }                ///< nobody waits for the answer any more

 protected:
  ~Answer() = default;
};

/// Calls what the app has given as a Response's `release`.
void call_release(void (*release)(void*), void* context) noexcept;

}  // namespace serval::app
