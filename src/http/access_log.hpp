#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/access_template.hpp"
#include "base/log_field.hpp"
#include "base/result.hpp"
#include "http/outcome.hpp"

namespace serval::http {

/// The facts of one access line. Head fields are empty for requests that never had a complete head.
struct AccessRecord {
  std::string_view peer;
  std::string_view method, target;  ///< "" prints as "-"; bytes that could end the line or the quotes are escaped \xHH
  int minor_version = -1;               ///< as received; -1: no request line was understood
  std::string_view referer, user_agent, host;
  std::string_view request_id;
  int status = 0;  ///< what the client was sent; 499: it was gone before an answer (nginx's number)
  std::uint64_t bytes_in = 0;           ///< body bytes received
  std::uint64_t bytes_out = 0;          ///< body bytes sent, of serval's own answers, too
  std::chrono::system_clock::time_point when;   ///< first byte of the request
  std::chrono::microseconds duration{};         ///< first byte to last byte handed to the kernel
  std::chrono::microseconds queue_wait{};       ///< waiting for an app thread
  int worker = 0;
  int pid = 0;
  Outcome outcome = Outcome::ok;
  std::string_view reason;    ///< why serval answered instead of the app, or gave the client up; "" if it did not
  std::string_view received;  ///< of a refused request: what came, up to the end of its first line; it may be cut
};

/// [log] access_format, ready to write lines: `combined` (Apache's, followed by request id, duration, queue wait,
/// worker, outcome and, where there is one, the reason), `common` (Apache's, and nothing behind it), `json`, or a
/// template.
class AccessFormat {
 public:
  explicit AccessFormat(AccessTemplate format, log::Keys keys = log::Keys::serval);
  /// By the one grammar of base/access_template.hpp. `keys`: of JSON lines.
  static Result<AccessFormat> parse(std::string_view text, log::Keys keys = log::Keys::serval);
  /// Appends one line with its '\n', which is the only one whatever the client sent. Any thread.
  void append(std::string& out, const AccessRecord& record) const;

 private:
  void append_json(std::string& out, const AccessRecord& record) const;

  AccessTemplate format_;
  std::vector<std::string> json_keys_;  ///< `"status":` for each atom
  std::string_view json_end_;
};

}  // namespace serval::http
