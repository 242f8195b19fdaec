#pragma once

#include <sys/types.h>

#include <map>
#include <optional>

#include "base/time.hpp"
#include "control/status.hpp"

namespace serval::master {

/// What workers use, for those who look at it. Adding up a large worker's share takes the kernel milliseconds, and the
/// master waits meanwhile: what has been added up is good for a while, and where the time is up only what is cheap is
/// told. One thread.
class MemoryFigures {
 public:
  struct Look {
    Duration patience{0};  ///< for all workers of one status
    Duration good_for{0};  ///< an older sum is made anew
  };
  /// One look at many workers, from now on.
  class Round {
   public:
    Round(MemoryFigures& figures, const Look& look, TimePoint now)
        : figures_(figures), look_(look), until_(now + look.patience) {}
    /// nullopt: the process has ended.
    std::optional<control::MemoryReading> operator()(pid_t worker) const;

   private:
    MemoryFigures& figures_;
    const Look look_;
    const TimePoint until_;
  };

  /// Forgets all workers but these.
  template <class Pids>
  void keep(const Pids& living) {
    std::erase_if(sums_, [&](const auto& sum) { return !living.contains(sum.first); });
  }

 private:
  struct Sum {
    TimePoint made;
    std::uint64_t proportional;
    std::uint64_t unique;
  };
  std::map<pid_t, Sum> sums_;
};

}  // namespace serval::master
