#include "server/exchange.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "http/date.hpp"
#include "server/protocol.hpp"

namespace serval::server {

namespace {

/// Exchanges kept for reuse; as many as requests are usually under way at a time.
constexpr std::size_t kSpareExchanges = 64;
/// Bodies up to this size are copied behind their head, so that one send takes both; longer ones go out from where they
/// are.
constexpr std::size_t kCopiedBody = 16 * 1024;

constexpr std::string_view kServerErrorBody = "Internal Server Error\n";
constexpr http::Field kServerErrorFields[] = {{"Content-Type", "text/plain"}};

}  // namespace

Exchange::Exchange(Context& context, ExchangePool& pool, std::unique_ptr<http::Stream> stream)
    : IncomingRequest(context, std::move(stream)), pool_(pool) {}

void Exchange::begin(Client& client, std::string_view peer, const http::History& history, TimePoint first_byte) {
  client_ = &client;
  begin_request(peer, history, first_byte);
}

void Exchange::reset() {
  reset_request();
  output_.clear();
  reason_ = {};
  body_out_ = 0;
  status_ = 0;
  outcome_ = http::Outcome::ok;
  closes_ = pending_ = over_ = probe_ = false;
  client_ = nullptr;
}

// ---- The answer

/// Why the answer cannot be sent. Ported code says `Connection: close` and the like, which elsewhere the server takes
/// out as well: `kept` are the other fields then.
std::string Exchange::drop_fields(const http::Response& response, std::vector<http::Field>& kept) {
  const http::AnswerTo to{request().method == "HEAD", response.status};
  for (const http::Field& field : response.fields) {
    const char* const why = http::why_not_sendable(field, to, response.body.size());
    if (why == nullptr) {
      kept.push_back(field);
    } else if (http::may_be_dropped(field)) {
      context_.observer.on_field_dropped(*this, field.name);
    } else {
      return "answered with the header " + quoted(field.name) + ", which must not be sent: " + why;
    }
  }
  return {};
}

std::string Exchange::respond(const http::Response& response) {
  if (const char* why = http::why_not_sendable(response.status); why != nullptr) {
    response.release();
    return "answered with status " + std::to_string(response.status) + ": " + why;
  }
  const http::AnswerTo to{request().method == "HEAD", response.status};
  for (const http::Field& field : response.fields) {
    if (http::why_not_sendable(field, to, response.body.size()) == nullptr) continue;
    std::vector<http::Field> kept;
    std::string why = drop_fields(response, kept);
    why.empty() ? put(response, kept) : response.release();
    return why;
  }
  put(response, response.fields);
  return {};
}

void Exchange::put(const http::Response& response, std::span<const http::Field> fields) {
  closes_ = stream_->last || context_.farewell.goodbye.load(std::memory_order_relaxed);
  status_ = response.status;
  std::string& out = output_.own();
  stream_->spell(out, {status_, fields, response.body.size(), closes_, added_field(fields)}, http::date_now());
  if (!http::carries_body({request().method == "HEAD", status_})) return response.release();
  body_out_ = response.body.size();
  if (response.body.size() > kCopiedBody && response.release.release != nullptr)
    return output_.lend(response.body, response.release);
  out.append(response.body);
  response.release();
}

/// The id, unless the app answers with one.
http::Field Exchange::added_field(std::span<const http::Field> fields) const {
  const auto is_id = [](const http::Field& field) { return http::equal_names(field.name, http::kRequestIdField); };
  if (!context_.settings.answer_id || std::ranges::any_of(fields, is_id)) return {};
  return {http::kRequestIdField, request_id_};
}

void Exchange::fail() {
  outcome_ = http::Outcome::app_failed;
  put({.status = 500, .fields = kServerErrorFields, .body = kServerErrorBody, .release = {}}, kServerErrorFields);
  reason_ = "the app failed; the log says how";
}

void Exchange::refuse(int status, std::string_view reason, http::Outcome outcome) {
  output_.clear();
  outcome_ = outcome;
  closes_ = true;
  status_ = status;
  reason_ = reason;
  body_out_ = http::spell_error(output_.own(), *stream_, status, reason, http::date_now(), answered_id());
}

// ---- Whose it is

void Exchange::wait_until(TimePoint deadline) { context_.deadlines.set(*this, deadline); }

/// It may be the one of an earlier request: nobody unsets it when that is over.
void Exchange::on_deadline(TimePoint now) {
  if (pending_ && client_ != nullptr) context_.handler.on_deadline(*this, now);
}

void Exchange::abandon() {
  client_ = nullptr;
  lose_connection();
  context_.handler.on_abandoned(*this);
}

void Exchange::done() {
  pending_ = false;
  if (client_ != nullptr) return client_->on_late_answer();
  Handler& handler = context_.handler;
  handler.on_abandoned_done(*this);
  pool_.take_back(std::unique_ptr<Exchange>(this));
  handler.on_done();
}

void Exchange::refuse_pending(int status, std::string_view reason, http::Outcome outcome) {
  pending_ = false;
  refuse(status, reason, outcome);
  client_->on_refused();
}

void Exchange::give_up(int status, std::string_view reason, http::Outcome outcome) {
  client_->give_up(status, reason, outcome);
}

void Exchange::take_again() { client_->take_again(); }

// ---- Reuse

std::unique_ptr<Exchange> ExchangePool::lend() {
  if (spare_.empty()) return std::make_unique<Exchange>(context_, *this, make_stream(context_));
  std::unique_ptr<Exchange> exchange = std::move(spare_.back());
  spare_.pop_back();
  return exchange;
}

void ExchangePool::take_back(std::unique_ptr<Exchange> exchange) {
  exchange->reset();
  if (spare_.size() < kSpareExchanges) spare_.push_back(std::move(exchange));
}

}  // namespace serval::server
