#pragma once

#include <sys/types.h>
#include <time.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace serval::stack {

/// Where a thread was, for a profile.
struct Sample {
  static constexpr std::size_t kMaxDepth = 128;
  std::uint32_t weight = 0;  ///< intervals that it stands for
  std::int32_t count = 0;
  std::array<std::uint64_t, kMaxDepth> address{};  ///< innermost first: the instruction itself, then return addresses
};

/// Takes samples of enlisted threads (stack/capture.hpp) while it lives, by the asking signal: at most one per process
/// at a time, used by one thread. Does not get into the way of ask() and answer(). A thread writes its sample into a
/// place of its own, without allocating; nothing else of a sampling is left when it is destroyed.
class Sampling {
 public:
  Sampling();
  ~Sampling();
  Sampling(const Sampling&) = delete;
  Sampling& operator=(const Sampling&) = delete;

  enum class Asked {
    asked,
    still_asked,  ///< it has not answered yet, or its answer has not been taken
    cannot,       ///< it is not enlisted, has ended, or other code has replaced our signal handler
  };
  /// One sample, of weight 1, whatever it does. A system call that it waits in may end with EINTR.
  Asked ask(pid_t thread);
  /// Each thread that is enlisted now gives a sample whenever it has used so much CPU time more. Returns how many do.
  int follow_cpu_time(std::chrono::nanoseconds interval);
  /// Those that are there.
  void take(const std::function<void(const Sample&)>& each);

  /// The weight of what came before the thread's last sample had been taken.
  std::uint64_t lost() const;
  /// Time that the threads have spent on it.
  std::chrono::nanoseconds cost() const;

 private:
  std::vector<timer_t> timers_;
};

}  // namespace serval::stack
