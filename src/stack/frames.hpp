#pragma once

#include <array>
#include <cstdint>

namespace serval::stack {

inline constexpr int kMaxFrames = 48;

/// Where a thread was. Trivially copyable: crosses process boundaries in a message.
struct Frames {
  std::int32_t thread = 0;  ///< its tid (gettid(2))
  std::int32_t count = 0;
  /// Innermost first; the first is the instruction itself, the others return addresses.
  std::array<std::uint64_t, kMaxFrames> address{};
};

}  // namespace serval::stack
