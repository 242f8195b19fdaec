#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/request.hpp"

namespace serval::http {

/// How an accepted request ended; exactly one access line each.
enum class Outcome { ok, refused, client_gone, timeout, app_failed, overload, cut };

/// The facts of one access line. Head fields are empty for requests that never had a complete head.
struct AccessRecord {
  std::string_view peer;
  std::string_view method, target;      ///< "" prints as "-"; bytes that could end the line or the quotes are escaped \xHH
  int minor_version = -1;               ///< -1: no request line was understood
  std::string_view referer, user_agent, host;
  std::string_view request_id;
  int status = 0;                       ///< what the client was sent; 499: it was gone before an answer (nginx's number)
  std::uint64_t bytes_in = 0;           ///< body bytes received
  std::uint64_t bytes_out = 0;          ///< body bytes sent
  std::chrono::system_clock::time_point when;   ///< first byte of the request
  std::chrono::microseconds duration{};         ///< first byte to last byte handed to the kernel
  std::chrono::microseconds queue_wait{};       ///< waiting for an app thread
  int worker = 0;
  int pid = 0;
  Outcome outcome = Outcome::ok;
};

/// "ok", "refused", ...
std::string_view outcome_text(Outcome outcome);

/// [log] access_format, parsed once: `combined` (Apache's, followed by request id, duration, queue wait, worker, outcome), `json`, or a
/// template such as "$peer $method $target $status $duration_us" ("${peer}" before a letter, "$$" for a dollar sign).
/// base/access_atoms.hpp is the table of the atoms.
class AccessFormat {
 public:
  static Result<AccessFormat> parse(std::string_view text);
  /// Appends one line with its '\n', which is the only one whatever the client sent. Any thread.
  void append(std::string& out, const AccessRecord& record) const;

 private:
  enum class Kind { combined, json, pieces };
  struct Piece {
    std::string literal;
    std::size_t atom = 0;  ///< index into kAccessAtoms, printed after the literal; one past the end: none
  };

  Kind kind_ = Kind::combined;
  std::vector<Piece> pieces_;
};

}  // namespace serval::http
