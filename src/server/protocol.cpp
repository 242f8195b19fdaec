#include "server/protocol.hpp"

#include "http1/message.hpp"
#include "http1/session.hpp"

namespace serval::server {

std::unique_ptr<http::Stream> make_stream(const Context& context) {
  return std::make_unique<http1::Message>(context.settings.limits);
}

std::unique_ptr<http::Session> make_session(const Context& context, http::Streams& streams,
                                            const http::History& history, std::string_view unread) {
  const http::Timeouts& timeouts = context.settings.timeouts;
  auto session = std::make_unique<http1::Session>(timeouts, context.farewell, streams, history, Clock::now());
  if (!unread.empty()) session->put(unread);
  return session;
}

}  // namespace serval::server
