#pragma once

#include <memory>
#include <string_view>

#include "http/session.hpp"
#include "http/stream.hpp"
#include "server/context.hpp"

/// Which protocol is spoken. HTTP/1 is all there is yet.
namespace serval::server {

/// The memory of one request, as make_session()'s sessions need it.
std::unique_ptr<http::Stream> make_stream(const Context& context);

/// Of a connection with that history, of which `unread` has been read. `context` and `streams` outlive it.
std::unique_ptr<http::Session> make_session(const Context& context, http::Streams& streams,
                                            const http::History& history, std::string_view unread);

}  // namespace serval::server
