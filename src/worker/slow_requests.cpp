#include "worker/slow_requests.hpp"

#include <algorithm>
#include <vector>

#include "base/log.hpp"

namespace serval::worker {

namespace {

constexpr int kLinesPerSecond = 10;

}  // namespace

TimeSpent time_spent(const Milestones& at) {
  TimePoint reached = at.first_byte;
  // Time until the next milestone, which is the end for one that was not reached.
  const auto until = [&](TimePoint next) {
    const TimePoint then = std::clamp(next == TimePoint{} ? at.end : next, reached, std::max(reached, at.end));
    const Clock::duration spent = then - reached;
    reached = then;
    return spent;
  };
  TimeSpent spent;
  spent.head = until(at.head_complete == TimePoint{} ? at.complete : at.head_complete);
  spent.body = until(at.complete);
  spent.queue = until(at.started);
  spent.handler = until(at.handled);
  spent.write = until(at.end);
  return spent;
}

SlowRequests::SlowRequests(boost::asio::io_context& io, Duration limit)
    : limit_(limit), more_(io, [](std::uint64_t count) {
        return log::write(log::Level::warning, "more slow requests, which have no lines of their own",
                          {{"count", count}});
      }) {}

bool SlowRequests::has_line_left(TimePoint now) {
  if (now - second_begins_ >= std::chrono::seconds(1)) {
    second_begins_ = now;
    lines_ = 0;
  }
  return lines_++ < kLinesPerSecond;
}

void SlowRequests::add(const Request& request) {
  if (!has_line_left(request.milestones.end)) return more_.add();
  const TimeSpent spent = time_spent(request.milestones);
  std::vector<log::Field> fields;
  if (request.method.empty()) {
    fields.emplace_back("received", request.received);
  } else {
    fields.insert(fields.end(), {{"method", request.method}, {"target", request.target}});
  }
  fields.insert(fields.end(),
                {{"request_id", request.request_id},
                 {"status", request.status},
                 {"duration_ms", in_milliseconds(request.milestones.end - request.milestones.first_byte)},
                 {"head_ms", in_milliseconds(spent.head)},
                 {"body_ms", in_milliseconds(spent.body)},
                 {"queue_ms", in_milliseconds(spent.queue)},
                 {"handler_ms", in_milliseconds(spent.handler)},
                 {"write_ms", in_milliseconds(spent.write)}});
  log::write(log::Level::warning, "slow request", fields);
}

}  // namespace serval::worker
