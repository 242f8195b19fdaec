#pragma once

#include <cstdint>

namespace serval::worker {

/// When a worker gives memory that it has freed back to the system (malloc_trim(3)): after a flood, once it is idle.
/// That takes a walk through the heap, and what is given back has to be had again, so it must be worth it. Asked some
/// seconds apart. Pure.
class Trim {
 public:
  /// `resident`: bytes of now; `requests`: answered so far; `busy`: some are in hand.
  bool due(std::uint64_t resident, std::uint64_t requests, bool busy) {
    const bool idle = !busy && requests == requests_;
    requests_ = requests;
    if (resident < least_) least_ = resident;
    return idle && resident > least_ + least_ / 4 + kWorth;
  }
  /// What is left is in use, or cannot be given back.
  void done(std::uint64_t resident) { least_ = resident; }

 private:
  static constexpr std::uint64_t kWorth = std::uint64_t{8} << 20;
  std::uint64_t least_ = UINT64_MAX / 4;
  std::uint64_t requests_ = 0;
};

}  // namespace serval::worker
