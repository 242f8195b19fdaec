#include "scoreboard/generations.hpp"

#include <numeric>

#include "base/histogram.hpp"

namespace serval::scoreboard {

using serval::grown;

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

/// Of all workers that have filled the slot.
GenerationTotals counted(const layout::SlotCells& cells) {
  GenerationTotals totals;
  for (std::size_t i = 0; i < cells.answers.size(); ++i) totals.answers[i / 100] += cells.answers[i].load(kRelaxed);
  const layout::HistogramCells& durations = cells.histograms[index_of(Histogram::request_duration)];
  for (std::size_t i = 0; i < kBuckets; ++i) totals.durations.counts[i] = durations.counts[i].load(kRelaxed);
  totals.durations.sum_ns = durations.sum.load(kRelaxed);
  return totals;
}

GenerationTotals read(const layout::RequestCells& cells) {
  GenerationTotals totals;
  for (std::size_t i = 0; i < cells.answers.size(); ++i) totals.answers[i] = cells.answers[i].load(kRelaxed);
  for (std::size_t i = 0; i < kBuckets; ++i) totals.durations.counts[i] = cells.durations.counts[i].load(kRelaxed);
  totals.durations.sum_ns = cells.durations.sum.load(kRelaxed);
  return totals;
}

void write(layout::RequestCells& cells, const GenerationTotals& totals) {
  for (std::size_t i = 0; i < cells.answers.size(); ++i) cells.answers[i].store(totals.answers[i], kRelaxed);
  for (std::size_t i = 0; i < kBuckets; ++i) cells.durations.counts[i].store(totals.durations.counts[i], kRelaxed);
  cells.durations.sum.store(totals.durations.sum_ns, kRelaxed);
}

/// `all` and what `now` has more than `before`.
void add_growth(GenerationTotals& all, const GenerationTotals& now, const GenerationTotals& before) {
  for (std::size_t i = 0; i < all.answers.size(); ++i) all.answers[i] += grown(now.answers[i], before.answers[i]);
  const HistogramTotals durations = grown(now.durations, before.durations);
  for (std::size_t i = 0; i < kBuckets; ++i) all.durations.counts[i] += durations.counts[i];
  all.durations.sum_ns += durations.sum_ns;
}

GenerationTotals ended_workers_of(const Memory& memory, int generation) {
  const layout::GenerationCells& cells = memory.generation(generation);
  GenerationTotals totals;
  if (cells.generation.load(kRelaxed) == generation) {
    totals = read(cells.requests);
    totals.lost = cells.lost.load(kRelaxed);
  }
  totals.generation = generation;
  return totals;
}

}  // namespace

std::uint64_t GenerationTotals::requests() const {
  return std::accumulate(answers.begin(), answers.end(), std::uint64_t{0}) + lost;
}

void end_life(Memory& memory, int slot, int generation, std::uint64_t lost) {
  layout::SlotCells& cells = memory.cells(slot);
  const GenerationTotals now = counted(cells);
  GenerationTotals totals = ended_workers_of(memory, generation);
  add_growth(totals, now, read(cells.before));
  layout::GenerationCells& to = memory.generation(generation);
  to.generation.store(generation, kRelaxed);
  to.lost.store(totals.lost + lost, kRelaxed);
  write(to.requests, totals);
  write(cells.before, now);
  clear_slot(memory, slot);
}

GenerationTotals read_generation(const Memory& memory, int generation) {
  GenerationTotals totals = ended_workers_of(memory, generation);
  for (int slot = memory.next_used(0); slot >= 0; slot = memory.next_used(slot + 1)) {
    const layout::SlotCells& cells = memory.cells(slot);
    if (cells.pid.load(kRelaxed) != 0 && cells.generation.load(kRelaxed) == generation)
      add_growth(totals, counted(cells), read(cells.before));
  }
  return totals;
}

double quantile(const HistogramTotals& histogram, double part) {
  return serval::quantile<std::uint64_t>(kBounds, histogram.counts, part);
}

HistogramTotals grown(const HistogramTotals& now, const HistogramTotals& before) {
  HistogramTotals result;
  for (std::size_t i = 0; i < kBuckets; ++i) result.counts[i] = grown(now.counts[i], before.counts[i]);
  result.sum_ns = grown(now.sum_ns, before.sum_ns);
  return result;
}

}  // namespace serval::scoreboard
