#pragma once

#include "base/time.hpp"

namespace serval::server {

class Exchange;

/// Answers requests: the app, a page of serval's own, a test.
class Handler {
 public:
  enum class Taken {
    answered,  ///< respond() or refuse() has been called
    pending,   ///< Exchange::done() will be called on the loop, once it has been answered
  };
  virtual ~Handler() = default;

  /// On the loop. May answer now or let another thread do it. May throw to leave the whole stack down to the loop, if
  /// the thread that runs here has lost the loop meanwhile: done() is called then, and nothing below may touch what
  /// belongs to the loop. Must not close the exchange's connection.
  virtual Taken take(Exchange& exchange) = 0;
  /// The deadline that the handler has set for a pending exchange (Exchange::wait_until) has passed; on the loop.
  /// take() sets it for each request, or that of an earlier one holds. Must not run anything that take() would.
  virtual void on_deadline(Exchange&, TimePoint) {}
  /// The client of a pending exchange has gone, or has got another answer: nothing that respond() says goes anywhere
  /// any more. On the loop.
  virtual void on_abandoned(Exchange&) {}
  /// done() was called for an abandoned exchange: it is about to be reused. On the loop.
  virtual void on_abandoned_done(Exchange&) {}
  /// done() was called, and what it says is on its way. On the loop.
  virtual void on_done() {}
};

}  // namespace serval::server
