#pragma once

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "base/time.hpp"
#include "http/redact.hpp"
#include "scoreboard/writer.hpp"
#include "server/observer.hpp"
#include "worker/access_log.hpp"
#include "worker/body_troubles.hpp"
#include "worker/refusals.hpp"
#include "worker/slow_requests.hpp"
#include "worker/tracing.hpp"

namespace serval::worker {

/// What the engine reports becomes counters and gauges of the scoreboard, access lines, and the log's word on refused
/// requests. Loop only, but for on_field_dropped().
class Accounting final : public server::Observer {
 public:
  struct Setting {
    int known_as;  ///< the worker, in access lines
    int pid;
    int access_fd;
    http::AccessFormat access_format;
    std::uint64_t max_requests;  ///< on_spent is called when this many are over; 0: never
    http::Redactor redactor;
    Duration slow;               ///< requests that take longer have a line; 0: none has
    bool log_probes;             ///< they get access lines; they count nowhere
    Tracing* tracing = nullptr;  ///< null: nothing is traced
    std::function<void()> on_spent;
    std::function<void()> on_connection_over;
    /// A request ends without its answer, which is its client's doing or that of a closed descriptor.
    std::function<void()> on_client_gone = [] {};
  };
  Accounting(boost::asio::io_context& io, scoreboard::WorkerBoard& board, Setting setting);

  void on_connections(std::size_t open) override;
  void on_body_trouble(server::BodyTrouble trouble, int error) override { body_troubles_.add(trouble, error); }
  void on_connection_over() override { setting_.on_connection_over(); }
  void on_over(const server::Summary& summary) override;
  void on_field_dropped(const server::Exchange& exchange, std::string_view name) override;

  /// A connection that is about to be taken from a listener or the lobby counts on the scoreboard before this process
  /// has it, until the hub serves it or this ends: a worker that is killed right after accept(2) has told the master of
  /// each connection that it takes along. At most one too many.
  class Taking {
   public:
    explicit Taking(Accounting& accounting) : accounting_(accounting) { accounting_.set_taking(1); }
    ~Taking() {
      if (accounting_.taking_ != 0) accounting_.set_taking(0);
    }
    Taking(const Taking&) = delete;
    Taking& operator=(const Taking&) = delete;

   private:
    Accounting& accounting_;
  };
  /// A client's connection has been accepted here.
  void on_accepted() { board_.count_connection(); }

  void reopen_access(int new_fd) { access_.reopen(new_fd); }
  /// Lines of both logs that could not be written are counted from time to time.
  void count_dropped_lines();
  /// The worker ends: what is unsaid yet.
  void finish();

 private:
  void write_access_line(const server::Summary& summary);
  void set_exemplar(const scoreboard::Answered& answered, const server::Exchange& exchange);
  void end_span(const server::Summary& summary);
  void write_slow_line(const server::Summary& summary);
  void flush_soon();
  void set_taking(int count);
  bool first_dropped(std::string_view name);
  std::chrono::system_clock::time_point wall_time(TimePoint at);

  boost::asio::io_context& io_;
  scoreboard::WorkerBoard& board_;
  const Setting setting_;
  AccessLog access_;
  std::uint64_t dropped_counted_ = 0;  ///< lines
  Refusals refusals_;
  BodyTroubles body_troubles_;
  SlowRequests slow_;
  std::size_t open_ = 0;  ///< connections
  int taking_ = 0;        ///< that are about to be taken
  bool flush_posted_ = false;
  TimePoint clock_checked_{};
  std::chrono::system_clock::time_point clock_wall_{};

  std::mutex dropped_mutex_;
  std::set<std::string> dropped_names_;  ///< in lower case
};

}  // namespace serval::worker
