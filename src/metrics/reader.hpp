#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "metrics/memory.hpp"
#include "metrics/shape.hpp"

/// What the admin process reads, while workers serve, hang, or are dead. They run foreign code that may have scribbled
/// over the memory: any bytes give some reading, of a bounded size, whose names and texts can be shown.
namespace serval::metrics {

/// A worker that lives.
struct Life {
  int seat = 0;
  int generation = 0;
};

struct Sample {
  std::vector<std::string> values;       ///< one for each label
  std::uint64_t count = 0;               ///< of a counter
  double value = 0;                      ///< of a gauge; of a histogram the sum
  std::vector<std::uint64_t> buckets{};  ///< of a histogram, one more than bounds
};

struct Family {
  Shape shape;
  std::vector<Sample> samples;  ///< no two with the same values
};

/// Every metric that a worker which lives may count; without such a worker all there are. Counters and histograms are
/// summed over all workers that ever were, gauges over those that live. Two generations that declare a name with
/// another type, labels or bounds: what the newer one counts is shown. No two families share a name that a scraper
/// sees. `fd`: of the memory's file.
std::vector<Family> read(const Memory& memory, int fd, std::span<const Life> living);

}  // namespace serval::metrics
