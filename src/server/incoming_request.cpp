#include "server/incoming_request.hpp"

#include <utility>

#include "http/forwarded.hpp"
#include "http/request_id.hpp"

namespace serval::server {

IncomingRequest::IncomingRequest(Context& context, std::unique_ptr<http::Stream> stream)
    : context_(context), stream_(std::move(stream)), body_(&context.observer) {
  stream_->owner = this;
}

void IncomingRequest::begin_request(std::string_view peer, const http::History& history, TimePoint first_byte) {
  address_ = peer;
  history_ = &history;
  first_byte_ = first_byte;
  http::append_request_id(request_id_);  // refused requests have one, too
}

void IncomingRequest::on_body(std::string_view piece) {
  if (head_complete_ == TimePoint{}) head_complete_ = history_->last_activity;
  body_.add(piece, context_.settings.spill_body);
}

void IncomingRequest::keep_body() { body_.keep(context_.settings.spill_body); }

void IncomingRequest::prepare(const net::Peer& peer, bool trusted, bool first, std::string_view scheme,
                              TimePoint now) {
  complete_ = now;
  first_on_connection_ = first;
  from_trusted_peer_ = trusted;
  peer_address_ = peer.address;
  origin_ = {.peer = peer_address_, .peer_port = peer.port, .scheme = scheme};
  if (trusted) identify(peer);
}

/// A trusted proxy is believed (RFC 7239, X-Forwarded-*, X-Request-Id).
void IncomingRequest::identify(const net::Peer& peer) {
  const http::ClientOrigin origin = http::find_origin(request().fields, {.address = origin_.peer, .scheme = origin_.scheme},
                                                context_.settings.is_trusted);
  origin_ = {.peer = origin.address,
             .peer_port = origin.address == origin_.peer ? peer.port : std::uint16_t{0},
             .scheme = origin.scheme};
  for (const http::Field& field : request().fields) {
    if (http::equal_names(field.name, http::kRequestIdField) && http::is_usable_request_id(field.value))
      request_id_ = field.value;
  }
}

void IncomingRequest::reset_request() {
  stream_->reset();
  body_.reset();
  request_id_.clear();
  origin_ = {};
  address_ = {};
  head_complete_ = complete_ = TimePoint{};
}

}  // namespace serval::server
