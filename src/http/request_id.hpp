#pragma once

#include <string>
#include <string_view>

namespace serval::http {

/// Appends an id that no other request of any process has: 64 random bits of this process and a counter, 32 hex digits.
/// No system call. Any thread. In a process that was forked: only after reseed_request_ids().
void append_request_id(std::string& out);

/// New random bits. Call once in each process that makes ids, before it has threads: after a fork, parent and child
/// would count alike.
void reseed_request_ids();

/// True for a client's X-Request-Id that may be taken over: 1 to 128 letters, digits or any of "-._~+/=:@". Whether the
/// peer is trusted is the caller's question.
bool is_usable_request_id(std::string_view id);

}  // namespace serval::http
