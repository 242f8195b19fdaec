#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/time.hpp"
#include "http/outcome.hpp"
#include "server/body_trouble.hpp"

namespace serval::server {

class Connection;
class Exchange;

/// How a request ended.
struct Summary {
  const Exchange& exchange;
  int status = 0;  ///< what the client was sent; 499: it was gone before an answer (nginx's number); 0: none yet
  http::Outcome outcome = http::Outcome::ok;
  std::string_view reason;      ///< why the answer is serval's own; a static text
  std::uint64_t bytes_out = 0;  ///< of the answer's body, as far as is known
  TimePoint end;                ///< the last byte of the answer was handed to the kernel, or the request given up
};

/// Hears of everything once: counters, log lines and gauges are made of it. Loop only, but for on_field_dropped().
class Observer : public BodyTroubleListener {
 public:
  virtual ~Observer() = default;
  virtual void on_connections(std::size_t /*open*/) {}
  /// A connection is closed, and its memory gone.
  virtual void on_connection_over() {}
  /// A request is over: once for each whose first byte has come.
  virtual void on_over(const Summary&) {}
  /// The handler has sent a field that is serval's to send; it is left out. Any thread.
  virtual void on_field_dropped(const Exchange&, std::string_view /*name*/) {}
};

/// Takes connections elsewhere. Loop only.
class Migration {
 public:
  virtual ~Migration() = default;
  /// The connection waits for a request, and nothing is being read. True: it has been released (Connection::release).
  virtual bool on_wait(Connection&) { return false; }
  /// The farewell has changed while the connection waits for a request, and reads.
  virtual void on_farewell(Connection&) {}
  /// It does not wait any more: a request begins, or it is closed. Called only for one that is in a list
  /// (Connection::waiting_hook).
  virtual void on_wait_over(Connection&) {}
};

}  // namespace serval::server
