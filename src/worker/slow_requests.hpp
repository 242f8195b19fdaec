#pragma once

#include <boost/asio/io_context.hpp>

#include <string_view>

#include "base/time.hpp"
#include "worker/flood_line.hpp"
#include "worker/milestones.hpp"

namespace serval::worker {

/// Where the time of a request went; together they are all of it.
struct TimeSpent {
  Clock::duration head{};
  Clock::duration body{};
  Clock::duration queue{};
  Clock::duration handler{};
  Clock::duration write{};

  bool operator==(const TimeSpent&) const = default;
};
/// A request that ended on its way spent the rest of its time at the step it had got to.
TimeSpent time_spent(const Milestones& milestones);

/// The log's word on each request that took longer than log.slow; of many, on the first ones of each second, and then
/// how many more there were. Loop only.
class SlowRequests {
 public:
  /// `limit` 0: none is slow.
  SlowRequests(boost::asio::io_context& io, Duration limit);

  bool on() const { return limit_ > Duration::zero(); }
  bool is_slow(Clock::duration duration) const { return on() && duration >= limit_; }
  struct Request {
    std::string_view method, target;
    std::string_view received{};  ///< of one without a head: the beginning of its first line
    std::string_view request_id;
    int status = 0;
    Milestones milestones;
  };
  void add(const Request& request);
  void finish() { more_.finish(); }

 private:
  bool has_line_left(TimePoint now);

  const Duration limit_;
  TimePoint second_begins_{};
  int lines_ = 0;  ///< in this second
  FloodLine more_;
};

}  // namespace serval::worker
