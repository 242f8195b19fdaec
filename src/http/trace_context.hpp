#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/sampler.hpp"

/// Which trace a request belongs to: W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context-1/), and which
/// traces are kept, as OpenTelemetry's variables say. Pure.
namespace serval::http {

/// 00-32 digits-16 digits-2 digits.
inline constexpr std::size_t kTraceparentSize = 55;

struct TraceContext {
  std::array<std::uint8_t, 16> trace_id{};
  std::array<std::uint8_t, 8> span_id{};
  bool sampled = false;
};

/// The value of a traceparent field; none: it is not valid, or of a version that nobody knows yet (ff), and the trace
/// begins anew. Of later versions the part that is known counts (§4.3).
std::optional<TraceContext> parse_traceparent(std::string_view value);
/// "00-<trace id>-<span id>-01". Into a string that is used again and again, since each request has one.
void write_traceparent(const TraceContext& context, std::string& out);

/// `parent`: null if the trace begins here. By the trace's id: all who ask for the same ratio decide alike.
bool is_sampled(const Sampler& sampler, const TraceContext* parent, const std::array<std::uint8_t, 16>& trace_id);

}  // namespace serval::http
