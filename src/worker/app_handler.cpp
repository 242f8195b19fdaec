#include "worker/app_handler.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "http/timeouts.hpp"
#include "worker/proxy_hint.hpp"

namespace serval::worker {

using http::deadline_after;

namespace {

constexpr std::string_view kAllStuck = "all threads of this worker are stuck";

server::Handler::Taken refused(server::Exchange& exchange, std::string_view reason) {
  exchange.refuse(503, reason, http::Outcome::overload);
  return server::Handler::Taken::answered;
}

}  // namespace

server::Handler::Taken AppHandler::take(server::Exchange& exchange) {
  HandlerCall& call = begin_call(exchange);
  if (parts_.gate.holds()) {
    exchange.wait_until(TimePoint::max());
    parts_.gate.park(exchange);
    parts_.on_change();
    return Taken::pending;
  }
  if (proxy_hint_due_ && exchange.first_on_connection() && !exchange.from_trusted_peer()) hint_at_proxy(exchange);
  if (all_stuck()) return refused(exchange, kAllStuck);
  return submit(exchange, call);
}

HandlerCall& AppHandler::begin_call(server::Exchange& exchange) {
  if (!exchange.attachment) exchange.attachment = std::make_unique<HandlerCall>(parts_.context, exchange);
  HandlerCall& call = HandlerCall::of(exchange);
  call.begin();
  return call;
}

server::Handler::Taken AppHandler::submit(server::Exchange& exchange, HandlerCall& call) {
  const TimePoint due = deadline_after(exchange.complete(), parts_.config.request.timeout);
  exchange.wait_until(due);  // before the handler may run: if it costs this thread the loop, it does not come back here
  switch (parts_.pool.submit(call)) {
    case HandlerPool::Accepted::ran: return Taken::answered;
    case HandlerPool::Accepted::refused: return refused(exchange, "all threads are busy and the queue is full");
    case HandlerPool::Accepted::pending: break;
  }
  exchange.wait_until(std::min(due, deadline_after(exchange.complete(), parts_.config.workers.queue_timeout)));
  parts_.on_change();
  return Taken::pending;
}

/// Once in a worker's life; the first request of a connection is enough to notice.
[[gnu::noinline]] void AppHandler::hint_at_proxy(const server::Exchange& exchange) {
  if (!says_forwarded(exchange.request().fields) || !is_private(exchange.origin().peer)) return;
  proxy_hint_due_ = false;
  log::warning(
      "a request says that a proxy has forwarded it, but that is not believed: request.trusted_proxies does not name "
      "the proxy",
      {{"peer", exchange.origin().peer}});
}

void AppHandler::on_deadline(server::Exchange& exchange, TimePoint now) {
  HandlerCall& call = HandlerCall::of(exchange);
  if (!call.has_started() && still_waits(exchange, call, now)) return;
  // What a thread has just taken, or what was given more time, has its own deadline.
  const TimePoint due = call.has_started() ? call.due() : deadline_after(now, parts_.config.request.timeout);
  if (due > now) return exchange.wait_until(due);
  if (!call.expire(now)) return exchange.wait_until(call.due());
  parts_.overdue.add(call, now);
  exchange.give_up(504, "the app did not answer in time", http::Outcome::timeout);
}

/// True: it waits on, or has been refused. False: a thread has it.
bool AppHandler::still_waits(server::Exchange& exchange, HandlerCall& call, TimePoint now) {
  const TimePoint patience = deadline_after(exchange.complete(), parts_.config.workers.queue_timeout);
  if (patience > now) {
    exchange.wait_until(std::min(patience, deadline_after(now, parts_.config.request.timeout)));
    return true;
  }
  if (!parts_.pool.withdraw(call)) return false;
  parts_.on_change();
  exchange.refuse_pending(503, "no thread became free in time", http::Outcome::overload);
  return true;
}

void AppHandler::refuse_waiting() {
  if (!all_stuck()) return;
  while (Task* const task = parts_.pool.withdraw_first()) {
    if (auto* const call = dynamic_cast<HandlerCall*>(task)) {
      call->exchange().refuse_pending(503, kAllStuck, http::Outcome::overload);
    } else {
      task->done();  // nobody's request
    }
  }
  parts_.on_change();
}

}  // namespace serval::worker
