#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <functional>
#include <string>

#include "app/app.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "scoreboard/writer.hpp"
#include "worker/threads/handler_pool.hpp"

namespace serval::worker {

/// Whether this worker's app wants requests, after its first yes: asked every health.ready_interval, on a thread of the
/// pool, if one is free. Looks for health.drain_file as well. What it finds is on the scoreboard, where siblings and
/// the master read it. Loop only.
class AppReadiness final : private Task {
 public:
  struct Parts {
    boost::asio::io_context& io;
    app::App& app;
    HandlerPool& pool;
    scoreboard::WorkerBoard& board;
    const config::Config& config;
    std::function<bool()> may_ask;   ///< the app may be called now: the server is not paused, the worker does not leave
    std::function<void()> on_asked;  ///< the pool has a task less
    /// Whether another worker has seen already that the drain file is there, or has gone: one of them says so.
    std::function<bool(bool there)> is_known = [](bool) { return false; };
  };
  explicit AppReadiness(Parts parts) : parts_(std::move(parts)), timer_(parts_.io) {}

  /// The app has said yes for the first time.
  void start();
  /// For good.
  void stop() { timer_.cancel(); }

  /// The app says no, or does not answer.
  bool declines() const { return declines_; }
  /// Looks.
  bool drain_file();

 private:
  // Task
  void run(bool waited) override;
  void done() override;

  void wait();
  void ask();
  bool drain_file_exists();
  void say_if_new(bool there) const;
  void publish();
  void conclude(bool yes, const std::string& why);

  const Parts parts_;
  boost::asio::steady_timer timer_;
  bool asks_ = false;
  bool asking_ = false;  ///< a thread has it, or will have it
  TimePoint asked_{};
  std::atomic<bool> answer_{true};
  bool declines_ = false;
  bool drain_file_ = false;
  bool complained_ = false;  ///< of a drain file that cannot be looked for
};

}  // namespace serval::worker
