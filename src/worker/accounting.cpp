#include "worker/accounting.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "http/ascii.hpp"
#include "server/connection.hpp"
#include "server/exchange.hpp"
#include "worker/handler_call.hpp"

namespace serval::worker {

namespace {

/// Of a request that got to a handler: how long it waited for a thread.
std::optional<Clock::duration> queue_wait(const server::Exchange& exchange) {
  if (exchange.complete() == TimePoint{} || !exchange.attachment || exchange.is_probe()) return std::nullopt;
  const auto& call = static_cast<const HandlerCall&>(*exchange.attachment);
  if (!call.has_started()) return std::nullopt;
  return call.started() - exchange.complete();
}

Milestones milestones_of(const server::Summary& summary) {
  const server::Exchange& exchange = summary.exchange;
  Milestones milestones{.first_byte = exchange.first_byte(),
                        .head_complete = exchange.head_complete(),
                        .complete = exchange.complete(),
                        .started = {},
                        .handled = {},
                        .end = summary.end};
  if (queue_wait(exchange)) {
    const auto& call = static_cast<const HandlerCall&>(*exchange.attachment);
    milestones.started = call.started();
    milestones.handled = call.handled();
  }
  return milestones;
}

std::chrono::microseconds microseconds(Clock::duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration);
}

}  // namespace

Accounting::Accounting(boost::asio::io_context& io, scoreboard::WorkerBoard& board, Setting setting)
    : io_(io),
      board_(board),
      setting_(std::move(setting)),
      access_(io, setting_.access_fd, setting_.access_format),
      refusals_(io),
      body_troubles_(io),
      slow_(io, setting_.slow) {}

void Accounting::on_connections(std::size_t open) {
  if (open > open_) taking_ = 0;  // that one is served
  open_ = open;
  set_taking(taking_);
}

void Accounting::set_taking(int count) {
  taking_ = count;
  board_.set_connections(static_cast<int>(open_) + taking_);
}

void Accounting::on_over(const server::Summary& summary) {
  const server::Exchange& exchange = summary.exchange;
  if (exchange.is_probe()) [[unlikely]] {
    if (setting_.log_probes && access_.on()) write_access_line(summary);
    return;
  }
  scoreboard::Answered answered;
  answered.status = summary.status;
  answered.duration = summary.end - exchange.first_byte();
  answered.queue_wait = queue_wait(exchange);
  answered.bytes_in = exchange.bytes_in();
  answered.bytes_out = summary.bytes_out;
  answered.timed_out = summary.status == 504 && summary.outcome == http::Outcome::timeout;
  answered.overload = summary.outcome == http::Outcome::overload;
  answered.client_gone = summary.outcome == http::Outcome::client_gone;
  if (answered.client_gone) [[unlikely]]
    setting_.on_client_gone();
  answered.end = summary.end;
  if (board_.count(answered)) [[unlikely]]
    set_exemplar(answered, exchange);
  if (setting_.max_requests > 0 && board_.requests() == setting_.max_requests) setting_.on_spent();
  if (access_.on() || summary.outcome == http::Outcome::refused) write_access_line(summary);
  if (slow_.is_slow(answered.duration)) [[unlikely]]
    write_slow_line(summary);
  if (setting_.tracing != nullptr) [[unlikely]]
    end_span(summary);
}

/// The id of its trace is that of what it passes on (traceparent, W3C Trace Context §3.2.2).
[[gnu::noinline]] void Accounting::set_exemplar(const scoreboard::Answered& answered,
                                                const server::Exchange& exchange) {
  std::string_view trace_id;
  if (setting_.tracing != nullptr && exchange.complete() != TimePoint{} && exchange.attachment) {
    const Trace& trace = static_cast<const HandlerCall&>(*exchange.attachment).trace();
    if (trace.context.sampled && trace.traceparent.size() > 35)
      trace_id = std::string_view(trace.traceparent).substr(3, 32);
  }
  board_.set_exemplar(answered, exchange.request_id(), trace_id);
}

/// Of a request that a handler was to have.
[[gnu::noinline]] void Accounting::end_span(const server::Summary& summary) {
  const server::Exchange& exchange = summary.exchange;
  if (exchange.complete() == TimePoint{} || !exchange.attachment) return;
  const auto& call = static_cast<const HandlerCall&>(*exchange.attachment);
  setting_.tracing->end(summary, call.trace(), milestones_of(summary));
}

[[gnu::noinline]] void Accounting::write_slow_line(const server::Summary& summary) {
  const server::Exchange& exchange = summary.exchange;
  std::string target, received;
  const bool has_head = !exchange.request().method.empty();
  slow_.add({.method = exchange.request().method,
             .target = setting_.redactor.shown(exchange.request().target, target),
             .received = has_head ? "" : setting_.redactor.shown(shown_of(exchange.received()), received),
             .request_id = exchange.request_id(),
             .status = summary.status,
             .milestones = milestones_of(summary)});
}

/// Apart, since most requests only pass through on_over(): what this needs on the stack they need not set up.
[[gnu::noinline]] void Accounting::write_access_line(const server::Summary& summary) {
  const server::Exchange& exchange = summary.exchange;
  const http::Request& head = exchange.request();
  const bool refused = summary.outcome == http::Outcome::refused;
  http::AccessRecord record;
  record.peer = exchange.peer();
  record.method = head.method;
  std::string target, referer, received;
  record.target = setting_.redactor.shown(head.target, target);
  record.minor_version = head.method.empty() ? -1 : head.version.received_minor;
  for (const http::Field& field : head.fields) {
    if (http::equal_names(field.name, "Referer")) record.referer = setting_.redactor.shown(field.value, referer);
    if (http::equal_names(field.name, "User-Agent")) record.user_agent = field.value;
  }
  record.host = head.host;
  record.request_id = exchange.request_id();
  record.status = summary.status;
  record.bytes_in = exchange.bytes_in();
  record.bytes_out = summary.bytes_out;
  record.when = wall_time(exchange.first_byte());
  record.duration = microseconds(summary.end - exchange.first_byte());
  if (const auto wait = queue_wait(exchange)) record.queue_wait = microseconds(*wait);
  record.worker = setting_.known_as;
  record.pid = setting_.pid;
  record.outcome = summary.outcome;
  record.reason = summary.reason;
  if (refused || head.method.empty())
    record.received = setting_.redactor.shown(shown_of(exchange.received()), received);
  if (refused) refusals_.add(record);
  if (!access_.on()) return;
  access_.add(record);
  flush_soon();
}

/// After what the loop has at hand already, so that a burst shares one write.
void Accounting::flush_soon() {
  if (std::exchange(flush_posted_, true)) return;
  boost::asio::post(io_, [this] {
    flush_posted_ = false;
    access_.flush();
  });
}

void Accounting::on_field_dropped(const server::Exchange& exchange, std::string_view name) {
  if (!first_dropped(name)) return;
  const http::Request& head = exchange.request();
  std::string memory;
  const std::string_view target = setting_.redactor.shown(head.target, memory);
  log::warning("the app sends a header that is serval's to send, it is dropped each time",
               {{"header", name}, {"method", head.method}, {"target", target}, {"request_id", exchange.request_id()}});
}

/// One word about each of them is enough.
bool Accounting::first_dropped(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), http::ascii::lower);
  const std::lock_guard lock(dropped_mutex_);
  return dropped_names_.insert(std::move(lower)).second;
}

void Accounting::count_dropped_lines() {
  const std::uint64_t dropped = log::dropped() + access_.dropped();
  if (dropped != dropped_counted_) board_.count_dropped_lines(dropped - dropped_counted_);
  dropped_counted_ = dropped;
}

void Accounting::finish() {
  access_.finish();
  refusals_.finish();
  body_troubles_.finish();
  slow_.finish();
  count_dropped_lines();
}

/// One look at the wall clock a second; a step of that clock shows in the log within that second.
std::chrono::system_clock::time_point Accounting::wall_time(TimePoint at) {
  if (at - clock_checked_ > std::chrono::seconds(1)) {
    clock_checked_ = Clock::now();
    clock_wall_ = std::chrono::system_clock::now();
  }
  return clock_wall_ + std::chrono::duration_cast<std::chrono::system_clock::duration>(at - clock_checked_);
}

}  // namespace serval::worker
