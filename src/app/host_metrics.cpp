#include "app/host_metrics.hpp"

#include <array>
#include <exception>
#include <string>
#include <string_view>

#include "app/abi_text.hpp"
#include "app/one_line.hpp"

namespace serval::app {
namespace {

/// The app's functions know no context of ours: there is one app in a process.
metrics::Board* the_board = nullptr;

/// As far as the filler of the struct knows it, which is all of what its first version has.
constexpr std::size_t kFirstSize = offsetof(serval_metric, bound_count) + sizeof(serval_metric::bound_count);

Result<metrics::Shape> shape_of(const serval_metric& metric) {
  if (metric.size < kFirstSize) return Error{"a serval_metric's size is that of the struct"};
  if ((metric.labels == nullptr && metric.label_count != 0) || (metric.bounds == nullptr && metric.bound_count != 0))
    return Error{"a metric has a null pointer with a count"};
  // Before they are copied: what is beyond is no metric anyway.
  if (metric.label_count > metrics::kMaxLabels + 1 || metric.bound_count > metrics::kMaxBounds + 1)
    return Error{"metric \"" + one_line(view(metric.name)) + "\" cannot be declared: it has too many labels or bounds"};
  metrics::Shape shape;
  switch (metric.kind) {
    case SERVAL_COUNTER: shape.kind = metrics::Kind::counter; break;
    case SERVAL_GAUGE: shape.kind = metrics::Kind::gauge; break;
    case SERVAL_HISTOGRAM: shape.kind = metrics::Kind::histogram; break;
    default: return Error{"metric \"" + one_line(view(metric.name)) + "\" cannot be declared: it has no kind"};
  }
  std::string_view name = view(metric.name);
  if (shape.kind == metrics::Kind::counter && name.ends_with("_total"))
    name.remove_suffix(std::string_view("_total").size());
  shape.name = name;
  shape.help = metrics::shown(view(metric.help), metric.help.size + 1);
  for (std::size_t i = 0; i < metric.label_count; ++i) shape.labels.emplace_back(view(metric.labels[i]));
  shape.bounds.assign(metric.bounds, metric.bounds + metric.bound_count);
  shape.rows = metric.max_rows == 0 && !shape.labels.empty() ? metrics::kDefaultRows : metric.max_rows;
  return shape;
}

}  // namespace

void count_on(metrics::Board* board) { the_board = board; }

/// Nothing that is thrown gets into the app's frames, which may be C.
std::uint32_t declare_metric(const serval_metric* metric, char* why, std::size_t capacity) try {
  if (the_board == nullptr) return 1;
  const auto shape = shape_of(*metric);
  const auto number = shape ? the_board->declare(*shape) : Error{shape.error()};
  if (!number) say_why(number.error(), why, capacity);
  return number ? *number : 0;
} catch (const std::exception& exception) {
  say_why(exception.what(), why, capacity);
  return 0;
}

std::uint32_t metric_row(std::uint32_t metric, const serval_text* values, std::size_t count) try {
  if (the_board == nullptr || count > metrics::kMaxLabels) return 0;
  std::array<std::string_view, metrics::kMaxLabels> views;
  for (std::size_t i = 0; i < count; ++i) views[i] = view(values[i]);
  return the_board->row(metric, std::span(views).first(count));
} catch (...) {
  return 0;  // the line about its rows found no memory
}

void metric_add(std::uint32_t metric, std::uint32_t row, std::uint64_t by) {
  if (the_board != nullptr) the_board->add(metric, row, by);
}

void metric_set(std::uint32_t metric, std::uint32_t row, double to) {
  if (the_board != nullptr) the_board->set(metric, row, to);
}

void metric_move(std::uint32_t metric, std::uint32_t row, double by) {
  if (the_board != nullptr) the_board->move(metric, row, by);
}

void metric_observe(std::uint32_t metric, std::uint32_t row, double value) {
  if (the_board != nullptr) the_board->observe(metric, row, value);
}

}  // namespace serval::app
