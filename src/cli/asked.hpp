#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "base/exit_code.hpp"

namespace serval::cli {

/// What came of asking a running server.
struct Asked {
  int code = exit_code::ok;    ///< what the command exits with
  boost::json::object result;  ///< if ok
  std::string why;             ///< if not: in one line, without its end
  /// For standard error, in whole lines: if not ok all that there is to say, hints and other problems too.
  std::string message;
};

/// A failure in one sentence, and what to do about it.
inline Asked failed(int code, std::string_view command, std::string_view what, std::string_view hint) {
  std::string message = "serval " + std::string(command) + ": ";
  message.append(what).append("\n  hint: ").append(hint) += '\n';
  return {.code = code, .result = {}, .why = std::string(what), .message = std::move(message)};
}

inline Asked no_server(std::string_view command, std::string_view what, std::string_view hint) {
  return failed(exit_code::unavailable, command, what, hint);
}

}  // namespace serval::cli
