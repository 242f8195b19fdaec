#include "worker/handler_call.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/log.hpp"
#include "http/timeouts.hpp"

namespace serval::worker {

namespace {

pid_t this_thread() {
  static thread_local const pid_t id = ::gettid();
  return id;
}

}  // namespace

void HandlerCall::begin() {
  started_.store(0, std::memory_order_relaxed);
  handled_.store(0, std::memory_order_relaxed);
  cancelled_.store(false, std::memory_order_relaxed);
  if (context_.tracing != nullptr) context_.tracing->begin(exchange_.request(), trace_);
}

void HandlerCall::run(bool waited) {
  const TimePoint start = waited ? Clock::now() : exchange_.complete();
  const TimePoint deadline = http::deadline_after(start, context_.timeout);
  due_.store(deadline.time_since_epoch().count(), std::memory_order_relaxed);
  thread_.store(this_thread(), std::memory_order_relaxed);
  const http::Request& head = exchange_.request();
  shown_target_ = context_.redactor.shown(head.target, shown_memory_);
  started_.store(start.time_since_epoch().count(), std::memory_order_release);
  const server::PeerOrigin& origin = exchange_.origin();
  const app::Request request{.head = &head,
                             .body = exchange_.body().view(),
                             .body_fd = exchange_.body().fd(),
                             .peer = origin.peer,
                             .peer_port = origin.peer_port,
                             .scheme = origin.scheme,
                             .request_id = exchange_.request_id(),
                             .shown_target = shown_target_,
                             .traceparent = trace_.traceparent,
                             .deadline = deadline};
  std::optional<scoreboard::Row> row = this_row();
  if (row)
    row->begin({.method = head.method, .target = shown_target_, .request_id = request.request_id, .peer = request.peer},
               start, deadline);
  context_.app.handle(request, *this);
  if (row) row->end();
  if (context_.timed) handled_.store(Clock::now().time_since_epoch().count(), std::memory_order_release);
}

/// After a reload with more threads than the scoreboard has rows, the extra threads are simply not shown.
std::optional<scoreboard::Row> HandlerCall::this_row() const {
  const int number = HandlerPool::thread_number();
  if (number < 0 || number >= context_.board.rows()) return std::nullopt;
  return context_.board.row(number);
}

/// A handler that asks for more time at the very moment either gets it, or is told that it is too late.
bool HandlerCall::expire(TimePoint now) {
  cancelled_.store(true);
  if (due() <= now) return true;
  cancelled_.store(false);
  return false;
}

bool HandlerCall::extend(std::chrono::nanoseconds from_now) {
  if (due() == TimePoint::max()) return true;
  const TimePoint later = std::max(due(), Clock::now() + std::chrono::duration_cast<Clock::duration>(from_now));
  due_.store(later.time_since_epoch().count());
  if (cancelled()) return false;
  if (auto row = this_row()) row->extend(later);
  return true;
}

void HandlerCall::respond(const Response& response) {
  if (const std::string why = exchange_.respond(response); !why.empty()) fail(why);
}

void HandlerCall::fail(std::string_view why) {
  const http::Request& head = exchange_.request();
  log::error("app failed",
             {{"method", head.method}, {"target", shown_target_}, {"request_id", exchange_.request_id()}, {"why", why}});
  exchange_.fail();
}

}  // namespace serval::worker
