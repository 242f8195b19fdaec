#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

/// By what a program shows that it is a serval which can take over: an exit code of 0 says nothing, /bin/true has one as well. Pure.
namespace serval::master {

/// The line that `serval adopt FD check` writes to standard output after it has read the running server's state, in which the nonce is.
std::string adoption_proof(std::string_view version, int protocol, std::string_view nonce);

/// The version in what a program has said; an error if that is not the proof for this nonce and this protocol.
Result<std::string> version_in_proof(std::string_view said, int protocol, std::string_view nonce);

/// 128 random bits in hex.
std::string make_nonce();

}  // namespace serval::master
