#include "ipc/spans.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/errno_text.hpp"

namespace serval::ipc {
namespace {

/// Room for 256 spans, where an unprivileged process may have that (pipe(7), pipe-max-size).
constexpr int kPipeBytes = 1 << 20;

/// Of one text, so that a long target leaves room for the others.
constexpr std::size_t kLongest = 480;

}  // namespace

void Span::put(Text which, std::string_view value) {
  std::size_t used = 0;
  for (std::size_t i = 0; i < which; ++i) used += sizes[i];
  const std::size_t size = std::min({value.size(), kLongest, sizeof text - used});
  std::memcpy(text + used, value.data(), size);
  sizes[which] = static_cast<std::uint16_t>(size);
}

std::string_view Span::get(Text which) const {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < which; ++i) begin += sizes[i];
  if (begin >= sizeof text) return {};
  return {text + begin, std::min<std::size_t>(sizes[which], sizeof text - begin)};
}

Result<SpanPipe> make_span_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK | O_DIRECT) != 0)
    return Error{"cannot make a pipe for spans: " + errno_text()};
  ::fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes);
  return SpanPipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

bool send_span(int write_end, const Span& span) {
  return ::write(write_end, &span, sizeof span) == static_cast<ssize_t>(sizeof span);
}

std::optional<Span> receive_span(int read_end) {
  for (;;) {
    Span span;
    const ssize_t got = ::read(read_end, &span, sizeof span);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    if (got == static_cast<ssize_t>(sizeof span) && span.magic == Span::kMagic) return span;
  }
}

}  // namespace serval::ipc
