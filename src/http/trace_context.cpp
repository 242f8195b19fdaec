#include "http/trace_context.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace serval::http {
namespace {

/// Lower case alone, as the field has to be.
int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// False for what is no hex, and for zeros alone, which are no id.
template <std::size_t kSize>
bool read_id(std::string_view text, std::array<std::uint8_t, kSize>& id) {
  bool any = false;
  for (std::size_t i = 0; i < kSize; ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    id[i] = static_cast<std::uint8_t>(high * 16 + low);
    any = any || id[i] != 0;
  }
  return any;
}

template <std::size_t kSize>
std::string_view bytes_of(const std::array<std::uint8_t, kSize>& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view value) {
  constexpr std::size_t kSize = kTraceparentSize;
  if (value.size() < kSize || value[2] != '-' || value[35] != '-' || value[52] != '-') return std::nullopt;
  std::array<std::uint8_t, 1> version;
  const bool first_version = value.starts_with("00");
  if (!first_version && (!read_id(value, version) || value.starts_with("ff"))) return std::nullopt;
  if (value.size() > kSize && (first_version || value[kSize] != '-')) return std::nullopt;
  const int high = digit(value[53]);
  const int low = digit(value[54]);
  TraceContext context;
  if (high < 0 || low < 0 || !read_id(value.substr(3), context.trace_id) || !read_id(value.substr(36), context.span_id))
    return std::nullopt;
  context.sampled = (low & 1) != 0;
  return context;
}

void write_traceparent(const TraceContext& context, std::string& out) {
  out.resize(kTraceparentSize);
  char* at = out.data();
  const auto put = [&at](std::string_view text) { at = std::ranges::copy(text, at).out; };
  put("00-");
  at = write_hex(bytes_of(context.trace_id), at);
  put("-");
  at = write_hex(bytes_of(context.span_id), at);
  put(context.sampled ? "-01" : "-00");
}

/// The last 56 bits are random in any id that follows the specification (level 2, §5.1).
bool is_sampled(const Sampler& sampler, const TraceContext* parent, const std::array<std::uint8_t, 16>& trace_id) {
  if (sampler.asks_parent && parent != nullptr) return parent->sampled;
  if (sampler.ratio >= 1) return true;  // the largest numbers are rounded up to it
  std::uint64_t random = 0;
  for (std::size_t i = 9; i < trace_id.size(); ++i) random = random << 8 | trace_id[i];
  constexpr double kAll = 72057594037927936.0;  // 2^56
  return static_cast<double>(random) < sampler.ratio * kAll;
}

}  // namespace serval::http
