#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/metric_table.hpp"

/// Metrics as scrapers read them. Pure.
namespace serval::admin {

/// The two texts that Prometheus takes.
enum class Format {
  prometheus,   ///< text format 0.0.4
  openmetrics,  ///< OpenMetrics 1.0: units, exemplars, an end mark
};
/// Which one a scraper wants: what its Accept header ranks first of the two (RFC 9110 §12.5.1). Without a wish: the
/// older one.
Format format_for(std::string_view accept);
std::string_view content_type(Format format);

/// A name is [a-zA-Z_][a-zA-Z0-9_]*; a value is any UTF-8 and is escaped.
using Label = std::pair<std::string_view, std::string>;
using Labels = std::vector<Label>;

/// One request that was counted: whoever sees a slow bucket can look for it in log and traces.
struct Exemplar {
  Labels labels;
  double value = 0;
  double at = 0;  ///< seconds since 1970; 0: unknown
};

struct HistogramValue {
  std::span<const double> bounds;         ///< upper ones, inclusive, ascending
  std::span<const std::uint64_t> counts;  ///< of each bucket by itself; one more than bounds, for all that is longer
  double sum = 0;
  std::span<const Exemplar> exemplars{};  ///< by bucket, as many as counts, or none; one without labels is none
};

/// Writes families one after the other, each with its samples; a name comes once.
class Exposition {
 public:
  explicit Exposition(Format format) : format_(format) {}

  /// `name` without the suffix of its type (_total, _info, _bucket), with its unit at the end if it has one: seconds,
  /// bytes, ratio.
  void family(std::string_view name, MetricType type, std::string_view help, std::string_view unit = {});
  /// One of the table's.
  void family(Metric metric);
  /// Of the last family, which is no histogram.
  void sample(double value, const Labels& labels = {});
  void sample(std::uint64_t value, const Labels& labels = {});
  void sample(const HistogramValue& value, const Labels& labels = {});

  /// The whole text; nothing can be added afterwards.
  std::string finish();

 private:
  std::string_view suffix() const;
  void line(std::string_view suffix, const Labels& labels, std::string_view more_name, std::string_view more_value,
            std::string_view value);
  void append_labels(const Labels& labels, std::string_view more_name, std::string_view more_value);
  void append_exemplar(const Exemplar& exemplar);

  const Format format_;
  std::string name_;
  MetricType type_ = MetricType::gauge;
  std::string text_;
};

}  // namespace serval::admin
