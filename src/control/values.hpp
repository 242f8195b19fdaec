#pragma once

#include <algorithm>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string_view>

#include "base/time.hpp"
#include "control/protocol.hpp"

/// What answers are made of.
namespace serval::control {

/// Null for an empty one.
inline json::value text_or_null(std::string_view text) {
  return text.empty() ? json::value(nullptr) : json::value(utf8(text));
}

/// An age, or what is left until a time: 0 where it has come.
inline std::int64_t milliseconds(Clock::duration span) {
  return std::max<std::int64_t>(std::chrono::duration_cast<Duration>(span).count(), 0);
}

}  // namespace serval::control
