#pragma once

#include "base/time.hpp"

#include <cstdint>

namespace serval::worker {

/// Whether an I/O loop hardly keeps up, judged by what it does of a CPU. Time that it was kept from running by others
/// does not count: another loop would not get it either. Pure.
class LoopLoad {
 public:
  /// Totals since any moment.
  struct Sample {
    TimePoint at;
    Clock::duration cpu{};       ///< that the loop's thread has used
    std::uint64_t requests = 0;  ///< that it has begun
  };

  explicit LoopLoad(const Sample& first) : last_(first) {}

  /// Enough time has passed for a judgement.
  bool due(TimePoint now) const { return now - last_.at >= kWindow; }
  /// Of the time since the last one.
  bool overloaded(const Sample& now);

 private:
  static constexpr Duration kWindow{20};

  Sample last_;
};

}  // namespace serval::worker
