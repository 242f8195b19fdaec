#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// What is asked of counts by bucket. Pure.
namespace serval {

/// How much a count has grown; what somebody has scribbled over it may be less than it was.
constexpr std::uint64_t grown(std::uint64_t now, std::uint64_t before) { return now > before ? now - before : 0; }

/// Where in a histogram a quantile is.
struct QuantilePlace {
  std::size_t bucket = 0;
  double part = 0;  ///< of that bucket's requests that are below
};

/// `counts` of each bucket by itself, not all zero; `part` of them all: 0 to 1.
template <class Count>
constexpr QuantilePlace quantile_place(std::span<const Count> counts, double part) {
  double all = 0;
  for (const Count count : counts) all += static_cast<double>(count);
  double below = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto here = static_cast<double>(counts[i]);
    if (here > 0 && below + here >= part * all) return {i, (part * all - below) / here};
    below += here;
  }
  return {};
}

/// Linear within the bucket, as Prometheus' histogram_quantile() has it. `bounds`: the upper ones; of the bucket beyond
/// them no more is known than that it is beyond. 0 if all counts are.
template <class Count>
constexpr double quantile(std::span<const double> bounds, std::span<const Count> counts, double part) {
  const QuantilePlace place = quantile_place(counts, part);
  if (place.bucket >= bounds.size()) return bounds.empty() ? 0 : bounds.back();
  const double from = place.bucket == 0 ? 0 : bounds[place.bucket - 1];
  return from + (bounds[place.bucket] - from) * place.part;
}

}  // namespace serval
