#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/layout.hpp"

/// The rows of a metric with labels: a table that all workers fill, found by the values.
namespace serval::metrics {

/// The values as they lie in memory, and what they are found by.
struct Key {
  std::array<std::array<std::uint64_t, layout::kWordsOfValue>, kMaxLabels> words;  ///< of the first `labels`
  std::size_t labels = 0;
  std::uint64_t tag = 0;
  bool is_other = true;  ///< each of them is kOther, which the first row stands for
};
/// At most kMaxLabels values.
Key key_of(std::span<const std::string_view> values);

/// A family's places, and how many of them may be filled.
struct Rows {
  std::span<layout::Place> places;
  layout::Cell32* filled = nullptr;
  std::size_t limit = 0;
};

/// The number of the row for these values, from 1; a new one if there is none yet. 0: there is no room for one more,
/// the first row stands for it. No lock and no allocation; any thread of any process, at the same time as others.
std::uint32_t find_row(const Rows& rows, const Key& key);

/// What a row stands for, from bytes that may be anything; nullopt: it is free.
std::optional<std::vector<std::string>> read_values(const layout::Place& place, std::size_t labels);

}  // namespace serval::metrics
