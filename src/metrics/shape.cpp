#include "metrics/shape.hpp"

#include <algorithm>
#include <cmath>

#include "base/text.hpp"

namespace serval::metrics {
namespace {

constexpr std::string_view kTotal = "_total";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// [a-zA-Z_][a-zA-Z0-9_]*
bool is_name(std::string_view text) {
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

std::string limited(std::string_view what, std::size_t limit, std::string_view unit) {
  return std::string(what) + ", of which there may be " + std::to_string(limit) + std::string(unit);
}

std::string why_not_name(const Shape& shape) {
  if (!is_name(shape.name)) return "a name is [a-zA-Z_][a-zA-Z0-9_]*";
  if (shape.name.size() > kMaxName) return limited("its name has more bytes", kMaxName, "");
  if (shape.name.starts_with("serval_")) return "names that begin with serval_ are serval's";
  if (shape.kind != Kind::counter && shape.name.ends_with(kTotal)) return "_total is the end of a counter's name";
  if (shape.help.size() > kMaxHelp) return limited("its help has more bytes", kMaxHelp, "");
  return {};
}

std::string why_not_labels(const Shape& shape) {
  if (shape.labels.size() > kMaxLabels) return limited("it has more labels", kMaxLabels, "");
  for (auto label = shape.labels.begin(); label != shape.labels.end(); ++label) {
    const std::string said = "its label " + quoted(*label);
    if (!is_name(*label) || label->starts_with("__"))
      return said + " is not [a-zA-Z_][a-zA-Z0-9_]*, or begins with two underscores";
    if (label->size() > kMaxLabelName) return limited(said + " has more bytes", kMaxLabelName, "");
    if (*label == "le") return said + " is that of a histogram's buckets";
    if (std::find(shape.labels.begin(), label, *label) != label) return said + " comes twice";
  }
  if (shape.labels.empty() && shape.rows != 0)
    return "without labels it has one row, not " + std::to_string(shape.rows);
  if (!shape.labels.empty() && shape.rows == 0) return "with labels it needs rows for their values";
  if (shape.rows > kMaxRows) return limited("it has more rows", kMaxRows, "");
  return {};
}

std::string why_not_bounds(const Shape& shape) {
  if (shape.kind != Kind::histogram) return shape.bounds.empty() ? "" : "only a histogram has bounds";
  if (shape.bounds.empty()) return "a histogram needs bounds";
  if (shape.bounds.size() > kMaxBounds) return limited("it has more bounds", kMaxBounds, "");
  for (std::size_t i = 0; i < shape.bounds.size(); ++i) {
    if (!std::isfinite(shape.bounds[i]))
      return "its bounds are not all numbers; the one of all that is more is there by itself";
    if (i > 0 && !(shape.bounds[i] > shape.bounds[i - 1])) return "its bounds do not ascend";
  }
  return {};
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::counter: return "counter";
    case Kind::gauge: return "gauge";
    case Kind::histogram: return "histogram";
  }
  return "metric";
}

bool same_series(const Shape& a, const Shape& b) {
  return a.kind == b.kind && a.name == b.name && a.labels == b.labels && a.bounds == b.bounds;
}

std::size_t cells_of_row(const Shape& shape) { return shape.kind == Kind::histogram ? shape.bounds.size() + 2 : 1; }

std::size_t places_of(std::size_t rows) { return rows == 0 ? 0 : rows + rows / 4 + 1; }

std::size_t cells_of(const Shape& shape) { return (1 + places_of(shape.rows)) * cells_of_row(shape); }

std::string why_not(const Shape& shape) {
  for (const auto& question : {why_not_name, why_not_labels, why_not_bounds}) {
    if (std::string why = question(shape); !why.empty()) return why;
  }
  return {};
}

std::vector<std::string> names_of(const Shape& shape) {
  std::vector<std::string> names{shape.name};
  const auto add = [&](std::string_view suffix) { names.push_back(shape.name + std::string(suffix)); };
  switch (shape.kind) {
    case Kind::counter:
      add(kTotal);
      add("_created");  // which OpenMetrics keeps for it, as for histograms
      break;
    case Kind::gauge: break;
    case Kind::histogram:
      for (const char* suffix : {"_bucket", "_sum", "_count", "_created"}) add(suffix);
      break;
  }
  return names;
}

std::string shown(std::string_view bytes, std::size_t limit) {
  bytes = bytes.substr(0, bytes.find('\0'));
  std::string text;
  while (!bytes.empty() && text.size() < limit) {
    const std::size_t size = utf8_length(bytes);
    if (text.size() + (size == 0 ? 3 : size) > limit) break;
    text += size == 0 ? std::string_view("\xef\xbf\xbd") : bytes.substr(0, size);
    bytes.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return text;
}

std::string_view kept(std::string_view value) {
  const std::string_view whole = whole_characters(value, kMaxValue);
  value = whole.empty() ? value.substr(0, kMaxValue) : whole;  // bytes that are no characters are kept, too
  return value.substr(0, value.find('\0'));
}

}  // namespace serval::metrics
