#pragma once

#include <chrono>
#include <span>
#include <string_view>

#include "http/request.hpp"

namespace serval::app {

/// Takes the app's answer, on the thread that runs handle(). Exactly one call per request: respond() or fail().
class Answer {
 public:
  struct Response {
    int status = 200;
    std::span<const http::Field> fields;  ///< not yet checked: the receiver refuses CR, LF and NUL (500 and a log line)
    std::string_view body;                ///< valid during the call only, unless `release` is given:
    void (*release)(void*) = nullptr;     ///< then the receiver may keep the view and calls release(release_context) once, on any thread
    void* release_context = nullptr;
  };
  virtual void respond(const Response& response) = 0;
  /// The app failed: 500; `why` (an exception's text, "returned without an answer") goes to the log, not to the client.
  virtual void fail(std::string_view why) = 0;

  // Asked by the app while handle() runs, on its thread.
  virtual std::chrono::steady_clock::time_point deadline() const { return std::chrono::steady_clock::time_point::max(); }
  virtual bool extend(std::chrono::nanoseconds) { return true; }  ///< from now; false: too late
  virtual bool cancelled() const { return false; }                ///< nobody waits for the answer any more

 protected:
  ~Answer() = default;
};

/// Calls what the app has given as a Response's `release`.
void call_release(void (*release)(void*), void* context) noexcept;

}  // namespace serval::app
