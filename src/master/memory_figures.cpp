#include "master/memory_figures.hpp"

#include "os/process_memory.hpp"

namespace serval::master {

std::optional<control::MemoryReading> MemoryFigures::Round::operator()(pid_t worker) const {
  const auto resident = os::resident_bytes(worker);
  if (!resident) return std::nullopt;
  control::MemoryReading reading{.resident = *resident};
  const TimePoint now = Clock::now();
  auto known = figures_.sums_.find(worker);
  const bool stale = known == figures_.sums_.end() || now - known->second.made > look_.good_for;
  if (stale && now < until_) {
    if (const auto sums = os::memory_rollup(worker))
      known = figures_.sums_.insert_or_assign(worker, Sum{now, sums->proportional, sums->unique}).first;
  }
  if (known == figures_.sums_.end()) return reading;
  reading.proportional = known->second.proportional;
  reading.unique = known->second.unique;
  return reading;
}

}  // namespace serval::master
