#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"
#include "control/meant.hpp"

/// What goes over the control socket: one JSON object per line, one request per connection.
///
/// ```
/// → {"command":"status","arguments":{},"config":["/srv/current/serval.toml","/srv/releases/7/serval.toml"]} "config"
/// may be missing ← {"progress":"waiting for worker 0"}              any number of them, also none ←
/// {"ok":true,"result":{...}}                       or {"ok":false,"error":"...","exit":1}; then the end
/// ```
/// Pure and strict: another shape or an unknown key is an error; only in answers, where a newer server may say more,
/// unknown keys are ignored.
namespace serval::control {

namespace json = boost::json;

inline constexpr std::size_t kMaxRequest = 64 * 1024;  ///< bytes, with the end of the line

struct Request {
  std::string command;
  json::object arguments;
  std::optional<ConfigFile> meant{};  ///< the server must be the one of this configuration; none: whichever it is

  friend bool operator==(const Request&, const Request&) = default;
};

/// Something worth telling the client that waits; the reply is still to come.
struct Progress {
  std::string text;
};

/// The last line.
struct Reply {
  bool ok = false;
  json::object result;   ///< if ok
  std::string error;     ///< if not: one sentence
  int exit_code = 0;     ///< what the command should exit with (base/exit_code.hpp)
};

/// What an older server, which does not know `Request::meant`, says of a request that has it.
bool does_not_know_configs(const Reply& reply);

/// A line without its end.
Result<Request> parse_request(std::string_view line);
Result<std::variant<Progress, Reply>> parse_answer(std::string_view line);

/// A line with its end. Bytes that are not UTF-8 become U+FFFD.
std::string format(const Request& request);
std::string format(const Progress& progress);
std::string format(const Reply& reply);

/// `text` as a JSON string must be: UTF-8, with U+FFFD for what is not.
json::string utf8(std::string_view text);

}  // namespace serval::control
