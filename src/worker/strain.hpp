#pragma once

#include "base/time.hpp"

#include <cstdint>

namespace serval::worker {

/// Whether an I/O loop hardly keeps up, judged by what it does of a CPU. Time that it was kept from running by others does not count: another loop
/// would not get it either. Pure.
class Strain {
 public:
  /// Totals since any moment.
  struct Look {
    TimePoint at;
    Clock::duration cpu{};       ///< that the loop's thread has used
    std::uint64_t requests = 0;  ///< that it has begun
  };

  explicit Strain(const Look& first) : last_(first) {}

  /// Enough time has passed for a judgement.
  bool due(TimePoint now) const { return now - last_.at >= kWindow; }
  /// Of the time since the last one.
  bool judge(const Look& now);

 private:
  static constexpr Duration kWindow{20};

  Look last_;
};

}  // namespace serval::worker
