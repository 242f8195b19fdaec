#pragma once

#include <string_view>

namespace serval::admin {

/// Whether only processes of this machine can connect to where the admin endpoints are.
bool is_for_this_machine(std::string_view bind);

/// Whether a request with this Host may be answered there. A page from anywhere can have a
/// browser ask 127.0.0.1 under a name of its own, whose address it has changed meanwhile (DNS rebinding), and then read
/// the answer as its own. No such name is an address, or localhost (RFC 6761 §6.3). Pure.
bool is_named_locally(std::string_view host);

}  // namespace serval::admin
