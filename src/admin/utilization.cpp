#include "admin/utilization.hpp"

#include <algorithm>

namespace serval::admin {

void Utilization::add(TimePoint now, int busy, int threads) {
  samples_.push_back({now, std::min(busy, threads), threads});
  while (samples_.front().at < now - kWindows.back().span) samples_.pop_front();
}

double Utilization::average(const Window& window, TimePoint now) const {
  double busy = 0;
  double threads = 0;
  for (auto one = samples_.rbegin(); one != samples_.rend() && one->at >= now - window.span; ++one) {
    busy += one->busy;
    threads += one->threads;
  }
  return threads > 0 ? busy / threads : 0;
}

}  // namespace serval::admin
