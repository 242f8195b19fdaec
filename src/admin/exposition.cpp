#include "admin/exposition.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace serval::admin {
namespace {

constexpr std::string_view kOpenMetrics = "application/openmetrics-text";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// What comes before the separator, which is taken off `rest` together with it.
std::string_view take_until(std::string_view& rest, char separator) {
  const auto at = rest.find(separator);
  const std::string_view part = rest.substr(0, at);
  rest = at == rest.npos ? std::string_view{} : rest.substr(at + 1);
  return trimmed(part);
}

/// The weight of a media range; 1 without one that can be read.
double weight_of(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = take_until(parameters, ';');
    if (!parameter.starts_with("q=")) continue;
    double weight = 1;
    std::from_chars(parameter.data() + 2, parameter.data() + parameter.size(), weight);
    return weight;
  }
  return 1;
}

/// As short as it can be without becoming another number.
std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return {digits.data(), end.ptr};
}

/// Without an exponent, so that it is the same text as other programs write; as OpenMetrics wants all floats: with a
/// point.
std::string bound(double value, Format format) {
  std::array<char, 64> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
  if (end.ec != std::errc()) return number(value);  // an app's, with more digits than fit
  std::string text(digits.data(), end.ptr);
  if (format == Format::openmetrics && text.find('.') == text.npos) text += ".0";
  return text;
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '"':
        if (quotes) out += '\\';
        out += '"';
        break;
      default: out += c;
    }
  }
}

std::string_view type_name(MetricType type, Format format) {
  switch (type) {
    case MetricType::counter: return "counter";
    case MetricType::gauge: return "gauge";
    case MetricType::histogram: return "histogram";
    case MetricType::info: return format == Format::openmetrics ? "info" : "gauge";
  }
  return "gauge";
}

}  // namespace

Format format_for(std::string_view accept) {
  double open = -1;
  double text = 0;  // what gets none of the two is answered all the same
  while (!accept.empty()) {
    std::string_view parameters = take_until(accept, ',');
    const std::string_view media = take_until(parameters, ';');
    if (media == kOpenMetrics) open = std::max(open, weight_of(parameters));
    if (media == "text/plain") text = std::max(text, weight_of(parameters));
  }
  return open > 0 && open >= text ? Format::openmetrics : Format::prometheus;
}

std::string_view content_type(Format format) {
  return format == Format::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                       : "text/plain; version=0.0.4; charset=utf-8";
}

/// In the older format a family has the name of its samples.
void Exposition::family(std::string_view name, MetricType type, std::string_view help, std::string_view unit) {
  name_ = name;
  type_ = type;
  std::string shown = name_;
  if (format_ == Format::prometheus) shown += suffix();
  text_.append("# HELP ").append(shown) += ' ';
  append_escaped(text_, help, format_ == Format::openmetrics);
  text_.append("\n# TYPE ").append(shown) += ' ';
  text_.append(type_name(type, format_)) += '\n';
  if (format_ == Format::openmetrics && !unit.empty())
    text_.append("# UNIT ").append(shown).append(" ").append(unit) += '\n';
}

void Exposition::family(Metric metric) {
  const MetricRow& row = row_of(metric);
  family(row.name, row.type, row.help, row.unit);
}

std::string_view Exposition::suffix() const {
  switch (type_) {
    case MetricType::counter: return "_total";
    case MetricType::info: return "_info";
    case MetricType::gauge:
    case MetricType::histogram: return "";
  }
  return "";
}

void Exposition::sample(double value, const Labels& labels) {
  line(suffix(), labels, {}, {}, number(value));
  text_ += '\n';
}

void Exposition::sample(std::uint64_t value, const Labels& labels) {
  line(suffix(), labels, {}, {}, std::to_string(value));
  text_ += '\n';
}

void Exposition::sample(const HistogramValue& value, const Labels& labels) {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < value.counts.size(); ++i) {
    below += value.counts[i];
    const std::string limit = i < value.bounds.size() ? bound(value.bounds[i], format_) : "+Inf";
    line("_bucket", labels, "le", limit, std::to_string(below));
    if (i < value.exemplars.size()) append_exemplar(value.exemplars[i]);
    text_ += '\n';
  }
  line("_sum", labels, {}, {}, number(value.sum));
  text_ += '\n';
  line("_count", labels, {}, {}, std::to_string(below));
  text_ += '\n';
}

void Exposition::line(std::string_view suffix, const Labels& labels, std::string_view more_name,
                      std::string_view more_value, std::string_view value) {
  text_.append(name_).append(suffix);
  append_labels(labels, more_name, more_value);
  (text_ += ' ').append(value);
}

void Exposition::append_labels(const Labels& labels, std::string_view more_name, std::string_view more_value) {
  if (labels.empty() && more_name.empty()) return;
  char before = '{';
  const auto append = [&](std::string_view name, std::string_view value) {
    text_ += std::exchange(before, ',');
    text_.append(name).append("=\"");
    append_escaped(text_, value, true);
    text_ += '"';
  };
  for (const auto& [name, value] : labels) append(name, value);
  if (!more_name.empty()) append(more_name, more_value);
  text_ += '}';
}

void Exposition::append_exemplar(const Exemplar& exemplar) {
  if (format_ != Format::openmetrics || exemplar.labels.empty()) return;
  text_ += " # ";
  append_labels(exemplar.labels, {}, {});
  (text_ += ' ').append(number(exemplar.value));
  if (exemplar.at == 0) return;
  std::array<char, 64> digits;  // milliseconds, which is what Prometheus keeps
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), exemplar.at, std::chars_format::fixed, 3);
  if (end.ec == std::errc()) (text_ += ' ').append(digits.data(), end.ptr);
}

std::string Exposition::finish() {
  if (format_ == Format::openmetrics) text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace serval::admin
