#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What an app says of a metric of its own, and which of it can be had. Pure.
namespace serval::metrics {

enum class Kind : std::uint32_t { counter = 1, gauge = 2, histogram = 3 };
/// "counter", ...
std::string_view name_of(Kind kind);

// What shared memory has room for: all of it is of a fixed size, so that no process believes a size that another wrote.
inline constexpr std::size_t kMaxMetrics = 256;  ///< of one app
inline constexpr std::size_t kMaxName = 120;
inline constexpr std::size_t kMaxHelp = 500;
inline constexpr std::size_t kMaxLabels = 4;
inline constexpr std::size_t kMaxLabelName = 60;
inline constexpr std::size_t kMaxValue = 56;  ///< of a label; longer ones are cut
inline constexpr std::size_t kMaxBounds = 30;
inline constexpr std::size_t kMaxRows = 1000;  ///< combinations of label values that one metric tells apart
inline constexpr std::size_t kDefaultRows = 64;

/// The label value of what is beyond a metric's rows.
inline constexpr std::string_view kOther = "other";

struct Shape {
  Kind kind = Kind::counter;
  std::string name{};  ///< of a counter without "_total", which it is shown with
  std::string help{};
  std::vector<std::string> labels{};
  std::vector<double> bounds{};  ///< of a histogram: upper ones, inclusive, ascending
  std::size_t rows = 0;          ///< combinations of label values that are told apart; 0: it has no labels
};

/// Whether what is counted by the one goes on in the other: help and rows do not matter.
bool same_series(const Shape& a, const Shape& b);

/// Cells of 8 bytes that one row of it takes: its count or value; of a histogram each bucket and the sum.
std::size_t cells_of_row(const Shape& shape);
/// Rows that are searched for a combination of values: a few more than are ever filled, so that a search ends soon.
std::size_t places_of(std::size_t rows);
/// Together with the first row, which is that without labels, or of what is beyond the others.
std::size_t cells_of(const Shape& shape);

/// What is wrong with it, as the end of a sentence that begins with its name; empty: nothing.
std::string why_not(const Shape& shape);

/// The names of its family and of all that scrapers may see of it: no other metric may have one of them.
std::vector<std::string> names_of(const Shape& shape);

/// What can be shown of bytes that may be anything: at most `limit`, cut at a character, up to the first NUL;
/// what is not UTF-8 becomes U+FFFD.
std::string shown(std::string_view bytes, std::size_t limit);

/// The part of a label's value that is kept: at most kMaxValue bytes, cut at a character, without a NUL.
std::string_view kept(std::string_view value);

}  // namespace serval::metrics
