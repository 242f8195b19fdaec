#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

/// By what a program shows that it is a serval which can take over: an exit code of 0 says nothing, /bin/true has one
/// as well. Pure.
namespace serval::master {

/// The line that `serval adopt FD check` writes to standard output after it has read the running server's state, in
/// which the nonce is.
std::string adoption_proof(std::string_view version, int protocol, std::string_view nonce);

/// The version in what a program has said; an error if that is not the proof for this nonce and this protocol.
Result<std::string> version_in_proof(std::string_view said, int protocol, std::string_view nonce);

/// How the check of a program ended that has not shown that it can take over.
struct FailedCheck {
  std::string program;              ///< its path
  std::string end;                  ///< how it ended: "exit code 1"
  std::optional<Duration> patience{};  ///< it has not answered within that, and was killed
  std::string output{};             ///< its standard error
};

/// One sentence that keeps the program's words apart from ours: one that is no serval may say anything.
std::string why_not(const FailedCheck& check);

/// 128 random bits in hex.
std::string make_nonce();

}  // namespace serval::master
