#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <limits>

namespace serval::http {

/// Both shapes of one second, formatted when it begins.
struct Second {
  std::time_t since_epoch = std::numeric_limits<std::time_t>::min();
  std::array<char, 32> local{};  ///< "10/Oct/2000:13:55:36 -0700", Apache's, in local time
  std::size_t local_size = 0;
  std::array<char, 24> utc{};  ///< "2000-10-10T20:55:36", without the milliseconds and the Z
  std::size_t utc_size = 0;
};
/// This thread's copy, valid until its next call.
const Second& second_of(std::chrono::system_clock::time_point when);

}  // namespace serval::http
