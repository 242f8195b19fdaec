#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "http/session.hpp"
#include "http/stream.hpp"
#include "net/peer.hpp"
#include "server/context.hpp"
#include "server/request_body.hpp"

namespace serval::server {

/// The peer of the connection that a request came on, and over what.
struct PeerOrigin {
  std::string_view peer;        ///< address without port, e.g. "127.0.0.1", "::1", or "unix"
  std::uint16_t peer_port = 0;  ///< 0: none, or unknown
  std::string_view scheme;      ///< "http" or "https"
};

/// The request of an exchange, as it comes and then whole. What is public may be asked by any thread that has the
/// exchange; the rest is the loop's.
class IncomingRequest : public http::StreamOwner {
 public:
  const http::Request& request() const { return stream_->request; }
  RequestBody& body() { return body_; }
  const PeerOrigin& origin() const { return origin_; }  ///< of a complete request
  std::string_view request_id() const { return request_id_; }
  std::uint64_t bytes_in() const { return body_.size(); }
  TimePoint first_byte() const { return first_byte_; }
  TimePoint head_complete() const { return head_complete_; }  ///< of a request with a body; default: not, or none
  TimePoint complete() const { return complete_; }  ///< when the request was, and was given to the handler
  /// The connection's own end has been believed in naming its client.
  bool from_trusted_peer() const { return from_trusted_peer_; }
  /// It is the first one on its connection.
  bool first_on_connection() const { return first_on_connection_; }
  /// Who has sent it, be it complete or not. On the loop.
  std::string_view peer() const { return origin_.peer.empty() ? address_ : origin_.peer; }
  /// What has come so far, for the log of a request that was refused. On the loop.
  std::string_view received() const { return stream_->received(); }

 protected:
  IncomingRequest(Context& context, std::unique_ptr<http::Stream> stream);
  ~IncomingRequest() = default;

  /// `peer` and `history` are the connection's, until lose_connection().
  void begin_request(std::string_view peer, const http::History& history, TimePoint first_byte);
  /// It is complete: who asks, and under which id.
  void prepare(const net::Peer& peer, bool trusted, bool first, std::string_view scheme, TimePoint now);
  void lose_connection() { address_ = {}; }
  void reset_request();

  Context& context_;
  const std::unique_ptr<http::Stream> stream_;
  RequestBody body_;
  std::string request_id_;
  TimePoint complete_;

 private:
  void identify(const net::Peer& peer);
  // http::StreamOwner
  void on_body(std::string_view piece) override;
  void keep_body() override;

  std::string_view address_;  ///< of the connection's other end
  const http::History* history_ = nullptr;
  std::string peer_address_;  ///< a copy: the handler may outlive the connection
  PeerOrigin origin_;
  TimePoint first_byte_;
  TimePoint head_complete_;
  bool from_trusted_peer_ = false;
  bool first_on_connection_ = false;
};

}  // namespace serval::server
