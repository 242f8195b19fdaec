#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

/// Spans, one for each request of a trace that is kept, on their way from the workers to the admin process: through a
/// pipe in packet mode (pipe(2), O_DIRECT) that the master makes and nobody waits for. What does not fit is dropped.
namespace serval::ipc {

/// As it is on the wire. Times are nanoseconds since 1970; 0: that was not reached.
struct Span {
  static constexpr std::uint32_t kMagic = 0x53565331;  // "SVS1"
  enum Text : std::size_t { method, path, query, scheme, host, client, request_id, user_agent, texts };

  std::uint32_t magic = kMagic;
  std::int32_t status = 0;
  std::array<std::uint8_t, 16> trace_id{};
  std::array<std::uint8_t, 8> span_id{};
  std::array<std::uint8_t, 8> parent_id{};  ///< zeros: the trace begins here
  std::int32_t slot = 0;
  std::int32_t pid = 0;
  std::int32_t generation = 0;
  std::int32_t minor_version = 1;  ///< of HTTP/1
  std::int64_t begin_ns = 0;       ///< the request's first byte
  std::int64_t complete_ns = 0;    ///< all of it was there: it waits for a thread
  std::int64_t started_ns = 0;     ///< its handler
  std::int64_t handled_ns = 0;     ///< the handler returned
  std::int64_t end_ns = 0;         ///< the answer's last byte
  std::array<std::uint16_t, texts> sizes{};
  char text[1904] = {};  ///< one after the other, not terminated

  /// What does not fit is cut.
  void put(Text which, std::string_view value);  ///< in the order of the enum
  /// Never beyond `text`, whatever `sizes` says.
  std::string_view get(Text which) const;
};
static_assert(sizeof(Span) == 2016 && std::is_trivially_copyable_v<Span>);

struct SpanPipe {
  UniqueFd read_end;  ///< non-blocking and close-on-exec, as is the other
  UniqueFd write_end;
};
Result<SpanPipe> make_span_pipe();

/// False: it is dropped. Any thread; never blocks.
bool send_span(int write_end, const Span& span);
/// One that is there; what is none is skipped. The texts are as the worker, and so the app, says.
std::optional<Span> receive_span(int read_end);

}  // namespace serval::ipc
