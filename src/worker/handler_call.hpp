#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string_view>

#include "app/app.hpp"
#include "base/time.hpp"
#include "http/redact.hpp"
#include "scoreboard/writer.hpp"
#include "server/exchange.hpp"
#include "worker/threads/handler_pool.hpp"
#include "worker/tracing.hpp"

namespace serval::worker {

/// One call of the app's handler: the exchange's request as the app is shown it, and the app's answer on its way back.
/// Kept with its exchange. Begun and expired on the loop; runs on a pool thread.
class HandlerCall final : public server::Exchange::Attachment, public Task, private app::Answer {
 public:
  /// What all calls share; outlives them.
  struct Context {
    app::App& app;
    scoreboard::WorkerBoard& board;
    Duration timeout;  ///< of a request; 0: none
    http::Redactor redactor{};
    Tracing* tracing = nullptr;  ///< null: nothing is traced
    bool timed = false;  ///< handled() is wanted
  };
  HandlerCall(const Context& context, server::Exchange& exchange) : context_(context), exchange_(exchange) {}
  /// The one that is kept with the exchange, which has one from its first call on.
  static HandlerCall& of(server::Exchange& exchange) { return static_cast<HandlerCall&>(*exchange.attachment); }

  server::Exchange& exchange() { return exchange_; }
  const server::Exchange& exchange() const { return exchange_; }

  /// Another request.
  void begin();

  // Any thread.
  bool has_started() const { return started_.load(std::memory_order_acquire) != 0; }
  TimePoint started() const {
    return TimePoint(Clock::duration(started_.load(std::memory_order_acquire)));
  }  ///< once it has
  /// When it is to be given up, as extended so far; max(): never. Once it has started.
  TimePoint due() const { return TimePoint(Clock::duration(due_.load())); }
  /// When it returned, if the context wants that; once it has.
  TimePoint handled() const { return TimePoint(Clock::duration(handled_.load(std::memory_order_acquire))); }
  /// The request's, as logs have it; once it has started.
  std::string_view shown_target() const { return shown_target_; }
  const Trace& trace() const { return trace_; }  ///< if something is traced
  pid_t thread() const { return thread_.load(std::memory_order_relaxed); }  ///< that it runs on, once it has started

  /// Gives it up, unless it has just got an extension.
  bool expire(TimePoint now);
  /// Nobody waits for the answer any more.
  void cancel() { cancelled_.store(true); }

 private:
  // Task
  void run(bool waited) override;
  void done() override { exchange_.done(); }
  // app::Answer
  void respond(const Response& response) override;
  void fail(std::string_view why) override;
  TimePoint deadline() const override { return due(); }
  bool extend(std::chrono::nanoseconds from_now) override;
  bool cancelled() const override { return cancelled_.load(); }

  std::optional<scoreboard::Row> this_row() const;

  const Context& context_;
  server::Exchange& exchange_;
  std::string shown_memory_;
  std::string_view shown_target_;
  Trace trace_;
  std::atomic<Clock::rep> started_{0};
  std::atomic<Clock::rep> handled_{0};
  std::atomic<Clock::rep> due_{0};
  std::atomic<bool> cancelled_{false};
  std::atomic<pid_t> thread_{0};
};

}  // namespace serval::worker
