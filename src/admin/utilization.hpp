#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <string_view>

#include "base/time.hpp"

namespace serval::admin {

/// How much of what the app's threads could do they have done, averaged over the last while: what autoscalers go by.
/// Pure.
class Utilization {
 public:
  struct Window {
    std::string_view name;
    Duration span;
  };
  static constexpr std::array<Window, 3> kWindows{
      {{"15s", std::chrono::seconds(15)}, {"1m", std::chrono::minutes(1)}, {"5m", std::chrono::minutes(5)}}};
  /// How often to look.
  static constexpr Duration kInterval = std::chrono::milliseconds(500);

  /// `busy` of `threads` run a handler now.
  void add(TimePoint now, int busy, int threads);
  /// 0 to 1, of what has been added in the window before `now`; 0: nothing.
  double average(const Window& window, TimePoint now) const;

 private:
  struct Sample {
    TimePoint at;
    int busy;
    int threads;
  };
  std::deque<Sample> samples_;
};

}  // namespace serval::admin
