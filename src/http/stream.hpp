#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "http/request.hpp"

namespace serval::http {

/// Whoever has a stream: gets the body as it comes.
class StreamOwner {
 public:
  /// The next piece of the decoded body. It stays where it is until keep_body().
  virtual void on_body(std::string_view piece) = 0;
  /// The bytes of all pieces so far are about to be overwritten: what is still needed has to be copied.
  virtual void keep_body() = 0;

 protected:
  ~StreamOwner() = default;
};

/// An answer's head, all of which may be sent (http/response.hpp).
struct ResponseHead {
  int status = 200;
  std::span<const Field> fields;
  std::size_t body_size = 0;
  bool closes = false;  ///< the connection closes after this answer
  Field added{};        ///< one more, after `fields`; without a name: none
};

/// One request and its answer as a protocol knows them: what it has read, and how it spells what is sent. Reused for
/// one request after another. Pure. The loop's, but for spell(): whoever answers calls that, on any thread, one at a
/// time.
class Stream {
 public:
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  const Request& request;  ///< empty as far as nothing has been understood; views are valid until reset()
  bool last = false;  ///< the client or a limit wants the connection to close after the answer; set once the request is
                      ///< complete
  StreamOwner* owner = nullptr;

  /// Appends the head. `date`: http/date.hpp. Allocates only when `out` must grow.
  virtual void spell(std::string& out, const ResponseHead& head, std::string_view date) const = 0;
  /// What has come so far, for the log of a request that was refused.
  virtual std::string_view received() const = 0;
  /// Forgets the request; what it needed much memory for is given back.
  virtual void reset() = 0;

 protected:
  explicit Stream(const Request& read) : request(read) {}
};

/// A whole small answer made by serval itself (refusals, 500, 503, 504), after which the connection closes: text/plain,
/// `Retry-After: 1` for 503, and with the id of the request unless that is empty. Returns the size of its body.
std::size_t spell_error(std::string& out, const Stream& stream, int status, std::string_view reason,
                        std::string_view date, std::string_view request_id = {});
inline constexpr std::string_view kRequestIdField = "X-Request-Id";

}  // namespace serval::http
