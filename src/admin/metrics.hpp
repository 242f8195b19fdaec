#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "admin/exposition.hpp"
#include "admin/machine.hpp"
#include "admin/master_link.hpp"
#include "admin/span_export.hpp"
#include "admin/utilization.hpp"
#include "metrics/reader.hpp"
#include "scoreboard/reader.hpp"

namespace serval::admin {

/// What metrics are made of; all borrowed for the call.
struct MetricSources {
  std::string_view version;
  std::string_view name;  ///< server.name
  const Status& status;   ///< null: the master does not answer; what it would say is left out
  const scoreboard::Totals& totals;
  std::span<const scoreboard::Exemplar> exemplars;  ///< by bucket of the durations of requests; empty: none
  const MachineFigures& machine;
  const Utilization& utilization;
  const SpanCounts* spans;               ///< null: nothing is traced
  std::span<const metrics::Family> app;  ///< what it counts of its own
  TimePoint now;
  std::chrono::system_clock::time_point wall_now;
};

/// The whole answer of /metrics. Pure. The names are a promise (serval(1), WATCHING): what a name means never changes.
std::string metrics(const MetricSources& sources, Format format);

}  // namespace serval::admin
