#include "admin/app_metrics.hpp"

#include <utility>

#include "base/log.hpp"
#include "scoreboard/reader.hpp"

namespace serval::admin {
namespace {

MetricType type_of(metrics::Kind kind) {
  switch (kind) {
    case metrics::Kind::counter: return MetricType::counter;
    case metrics::Kind::gauge: return MetricType::gauge;
    case metrics::Kind::histogram: return MetricType::histogram;
  }
  return MetricType::gauge;
}

Labels labels_of(const metrics::Shape& shape, const metrics::Sample& sample) {
  Labels labels;
  for (std::size_t i = 0; i < shape.labels.size(); ++i) labels.emplace_back(shape.labels[i], sample.values[i]);
  return labels;
}

void write_sample(Exposition& out, const metrics::Shape& shape, const metrics::Sample& sample) {
  const Labels labels = labels_of(shape, sample);
  switch (shape.kind) {
    case metrics::Kind::counter: return out.sample(sample.count, labels);
    case metrics::Kind::gauge: return out.sample(sample.value, labels);
    case metrics::Kind::histogram:
      return out.sample(HistogramValue{.bounds = shape.bounds, .counts = sample.buckets, .sum = sample.value}, labels);
  }
}

}  // namespace

AppMetrics::AppMetrics(int fd) : fd_(fd) {
  if (fd < 0) return;
  auto memory = metrics::Memory::map(fd);
  if (memory) {
    memory_.emplace(std::move(*memory));
  } else {
    log::warning("the app's own metrics cannot be read", {{"why", memory.error()}});
  }
}

std::vector<metrics::Family> AppMetrics::read(const scoreboard::Memory& scoreboard) const {
  if (!memory_) return {};
  std::vector<metrics::Life> living;
  for (int slot = scoreboard.next_used(0); slot >= 0; slot = scoreboard.next_used(slot + 1)) {
    const scoreboard::SlotReading reading = scoreboard::read_slot(scoreboard, slot);
    if (reading.pid > 0) living.push_back({.seat = slot, .generation = reading.generation});
  }
  return metrics::read(*memory_, fd_.get(), living);
}

void write_app_metrics(Exposition& out, std::span<const metrics::Family> families) {
  for (const metrics::Family& family : families) {
    out.family(family.shape.name, type_of(family.shape.kind), family.shape.help);
    for (const metrics::Sample& sample : family.samples) write_sample(out, family.shape, sample);
  }
}

}  // namespace serval::admin
