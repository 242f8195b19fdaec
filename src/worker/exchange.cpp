#include "worker/exchange.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "base/text.hpp"
#include "http/date.hpp"
#include "http/forwarded.hpp"
#include "http/request_id.hpp"
#include "worker/connection.hpp"
#include "worker/limits.hpp"
#include "worker/proxy_hint.hpp"
#include "worker/service.hpp"

namespace serval::worker {

namespace {

/// Bodies up to this size are copied behind their head, so that one send takes both; longer ones go out from where they are.
constexpr std::size_t kCopiedBody = 16 * 1024;
/// Memory that a reused exchange keeps for its output.
constexpr std::size_t kKeptOutput = 64 * 1024;

constexpr std::string_view kServerErrorBody = "Internal Server Error\n";
constexpr std::array<http::Field, 1> kServerErrorFields{{{"Content-Type", "text/plain"}}};

pid_t this_thread() {
  static thread_local const pid_t id = ::gettid();
  return id;
}

/// `drops` if some of the fields are to be left out.
std::string why_not_sendable(const http::Exchange& how, const app::Answer::Response& response, bool& drops) {
  if (const char* why = http::why_not_sendable(response.status); why != nullptr) {
    return "answered with status " + std::to_string(response.status) + ": " + why;
  }
  for (const http::Field& field : response.fields) {
    if (const char* why = http::why_not_sendable(field, how, response.status, response.body.size()); why != nullptr) {
      drops = drops || http::may_be_dropped(field);
      if (http::may_be_dropped(field)) continue;
      return "answered with the header " + quoted(field.name) + ", which must not be sent: " + why;
    }
  }
  return {};
}

}  // namespace

Exchange::Exchange(Service& service) : parser(service.limits), body(&service.body_troubles), service_(service) {}

void Exchange::begin(Connection& owner, TimePoint now) {
  owner_ = &owner;
  first_byte = now;
  http::append_request_id(request_id);  // refused requests have one, too
}

void Exchange::prepare(const Peer& peer, int nth) {
  const http::Head& head = parser.head();
  const config::Request& limits = service_.config.request;
  request.head = &head;
  request.body = body_in_place.empty() ? body.view() : body_in_place;
  request.body_fd = body.fd();
  peer_address = peer.address;
  request.peer = peer_address;
  request.peer_port = peer.port;
  request.scheme = "http";
  request.deadline = TimePoint::max();
  identify(peer);
  if (service_.proxy_hint_due && nth <= 1 && !peer.trusted) hint_at_proxy(peer);
  close_after = !head.keep_alive || limits.keep_alive.count() == 0 || (limits.keep_alive_requests > 0 && nth >= limits.keep_alive_requests);
}

/// Who asks, over what, and under which id: a trusted proxy is believed (RFC 7239, X-Forwarded-*, X-Request-Id).
void Exchange::identify(const Peer& peer) {
  if (peer.trusted) {
    const http::Origin origin = http::find_origin(parser.head().fields, {.address = request.peer, .scheme = request.scheme}, service_.is_trusted);
    if (origin.address != request.peer) request.peer_port = 0;
    request.peer = origin.address;
    request.scheme = origin.scheme;
    for (const http::Field& field : parser.head().fields) {
      if (http::equal_names(field.name, "X-Request-Id") && http::is_usable_request_id(field.value)) request_id = field.value;
    }
  }
  request.request_id = request_id;
}

/// Once in a worker's life; the first request of a connection is enough to notice.
[[gnu::noinline]] void Exchange::hint_at_proxy(const Peer& peer) {
  if (!says_forwarded(parser.head().fields) || !is_private(peer.address)) return;
  service_.proxy_hint_due = false;
  log::warning("a request says that a proxy has forwarded it, but that is not believed: request.trusted_proxies does not name the proxy",
               {{"peer", peer.address}});
}

void Exchange::reset() {
  if (release_ != nullptr) app::call_release(release_, release_context_);
  release_ = nullptr;
  parser.reset();
  body.reset();
  body_in_place = {};
  request_id.clear();
  request = {};
  body_bytes = 0;
  close_after = false;
  out.clear();
  if (out.capacity() > kKeptOutput) out.shrink_to_fit();
  tail = {};
  if (!tail_copy_.empty()) std::string().swap(tail_copy_);
  head_size = 0;
  status = 0;
  body_out = 0;
  reason = {};
  closes = failed = false;
  started_.store(0, std::memory_order_relaxed);
  cancelled_.store(false, std::memory_order_relaxed);
  expired_ = false;
  handed_over = TimePoint{};
}

http::Exchange Exchange::framing(bool close) const {
  const http::Head& head = parser.head();
  return {.head_request = head.method == "HEAD",
          .minor_version = head.minor_version,
          .close = close,
          .asked_keep_alive_1_0 = head.minor_version == 0 && head.keep_alive};
}

void Exchange::run(bool waited) {
  const TimePoint start = waited ? Clock::now() : handed_over;
  request.deadline = deadline_after(start, service_.config.request.timeout);
  due_.store(request.deadline.time_since_epoch().count(), std::memory_order_relaxed);
  thread_.store(this_thread(), std::memory_order_relaxed);
  started_.store(start.time_since_epoch().count(), std::memory_order_release);
  std::optional<scoreboard::Row> row = this_row();
  const http::Head& head = parser.head();
  if (row) row->begin({.method = head.method, .target = head.target, .request_id = request_id, .peer = request.peer}, start, request.deadline);
  service_.app.handle(request, *this);
  if (row) row->end();
}

std::optional<scoreboard::Row> Exchange::this_row() const {
  const int number = Crew::member_number();
  if (number < 0 || number >= service_.board.rows()) return std::nullopt;
  return service_.board.row(number);
}

/// A handler that asks for more time at the very moment either gets it, or is told that it is too late.
bool Exchange::expire(TimePoint now) {
  cancelled_.store(true);
  if (due() <= now) return expired_ = true;
  cancelled_.store(false);
  return false;
}

bool Exchange::extend(std::chrono::nanoseconds from_now) {
  if (due() == TimePoint::max()) return true;
  const TimePoint later = std::max(due(), Clock::now() + std::chrono::duration_cast<Clock::duration>(from_now));
  due_.store(later.time_since_epoch().count());
  if (cancelled()) return false;
  if (auto row = this_row()) row->extend(later);
  return true;
}

void Exchange::abandon() {
  owner_ = nullptr;
  cancelled_.store(true);
}

void Exchange::done() {
  if (owner_ != nullptr) {
    owner_->on_answer();
  } else {
    service_.on_abandoned_done(*this);
  }
}

void Exchange::respond(const Response& response) {
  closes = close_after || service_.says_goodbye();
  status = response.status;
  const http::Exchange how = framing(closes);
  bool drops = false;
  if (const std::string why = why_not_sendable(how, response, drops); !why.empty()) {
    if (response.release != nullptr) app::call_release(response.release, response.release_context);
    return fail(why);
  }
  const std::vector<http::Field> kept = drops ? without_dropped(response.fields) : std::vector<http::Field>();
  http::append_head(out, how, status, drops ? std::span<const http::Field>(kept) : response.fields, response.body.size(), http::date_now());
  if (http::carries_body(how, status)) {
    body_out = response.body.size();
    keep_tail(response);
  } else if (response.release != nullptr) {
    app::call_release(response.release, response.release_context);
  }
}

/// Ported code says `Connection: close` and the like, which elsewhere the server takes out as well. One word about each of them is enough.
std::vector<http::Field> Exchange::without_dropped(std::span<const http::Field> fields) {
  std::vector<http::Field> kept;
  for (const http::Field& field : fields) {
    if (!http::may_be_dropped(field)) {
      kept.push_back(field);
    } else if (service_.first_dropped(field.name)) {
      const http::Head& head = parser.head();
      log::warning("the app sends a header that is serval's to send, it is dropped each time",
                   {{"header", field.name}, {"method", head.method}, {"target", head.target}, {"request_id", request_id}});
    }
  }
  return kept;
}

void Exchange::keep_tail(const Response& response) {
  if (response.body.size() <= kCopiedBody) {
    out.append(response.body);
    if (response.release != nullptr) app::call_release(response.release, response.release_context);
  } else if (response.release != nullptr) {
    tail = response.body;
    release_ = response.release;
    release_context_ = response.release_context;
  } else {
    tail_copy_.assign(response.body);
    tail = tail_copy_;
  }
}

void Exchange::fail(std::string_view why) {
  const http::Head& head = parser.head();
  log::error("app failed", {{"method", head.method}, {"target", head.target}, {"request_id", request_id}, {"why", why}});
  closes = close_after || service_.says_goodbye();
  status = 500;
  failed = true;
  reason = "the app failed; the log says how";
  const http::Exchange how = framing(closes);
  http::append_head(out, how, status, kServerErrorFields, kServerErrorBody.size(), http::date_now());
  if (!http::carries_body(how, status)) return;
  out.append(kServerErrorBody);
  body_out = kServerErrorBody.size();
}

}  // namespace serval::worker
