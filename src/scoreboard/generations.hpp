#pragma once

#include <array>
#include <cstdint>

#include "scoreboard/memory.hpp"
#include "scoreboard/reader.hpp"

/// What each generation has answered, and how: by that a deploy is judged. It costs workers nothing: they count for
/// their slots, and the master notes what had been counted when a worker began.
namespace serval::scoreboard {

struct GenerationTotals {
  int generation = 0;
  std::array<std::uint64_t, kStatusClasses> answers{};  ///< [0]: 1xx
  std::uint64_t lost = 0;                               ///< requests, with their workers
  HistogramTotals durations;

  std::uint64_t requests() const;  ///< answered or lost
  std::uint64_t errors() const { return answers[4] + lost; }
};

/// The worker of that generation that filled the slot has ended: what it has counted, and lost, is its generation's,
/// and the slot is clear for the next (clear_slot). Master only.
void end_life(Memory& memory, int slot, int generation, std::uint64_t lost);

/// What the workers of a generation have counted, those that live and those that have ended; nothing of one that was
/// long ago. Any process, any bytes.
GenerationTotals read_generation(const Memory& memory, int generation);

/// The duration that this part of the requests, 0 to 1, did not exceed, in seconds (base/histogram.hpp); 0: there are
/// none.
double quantile(const HistogramTotals& histogram, double part);

/// What has come since `before`.
HistogramTotals grown(const HistogramTotals& now, const HistogramTotals& before);

}  // namespace serval::scoreboard
