#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "metrics/memory.hpp"
#include "metrics/record.hpp"

namespace serval::metrics {

/// What an app declares and counts: made in the mold, declared into by the app's preload, and used by each worker after
/// the fork, in the cells of its own seat. Until then what is counted is dropped: a mold serves nothing.
class Board {
 public:
  /// `generation`: the mold's.
  Board(Memory memory, int generation);

  /// The number of the metric, from 1. The error names it: it is not a metric, the app has it already, or there is no
  /// room for all that the app declares. If there is none beside what earlier generations have left, it is a metric
  /// that counts nothing, and the log says so. Mold only, one thread.
  Result<std::uint32_t> declare(const Shape& shape);
  /// Preload is over.
  void close() { open_ = false; }

  /// From here on this process counts: it is the worker of that seat. Its gauges begin at 0; counters and histograms go
  /// on where the worker before it has left them.
  void take_seat(int seat);

  // Any thread; a wrong number or kind does nothing. No locks, no allocation, no system call.

  /// The row for these values; 0: that of what is beyond the metric's rows, which is said once in the log.
  std::uint32_t row(std::uint32_t metric, std::span<const std::string_view> values) const;
  void add(std::uint32_t metric, std::uint32_t row, std::uint64_t by) const;
  void set(std::uint32_t metric, std::uint32_t row, double to) const;
  void move(std::uint32_t metric, std::uint32_t row, double by) const;
  void observe(std::uint32_t metric, std::uint32_t row, double value) const;

 private:
  struct Metric {
    Shape shape;
    Room room;
    std::size_t width = 1;  ///< cells of a row
    std::size_t cells = 0;  ///< of all rows; 0: there was no room for it
    layout::FamilyRecord* record = nullptr;
  };

  std::string why_no_more(const Shape& shape) const;
  /// A record and what it says; null: there is none.
  struct Found {
    layout::FamilyRecord* record = nullptr;
    Declared declared{};
    bool other_series = false;  ///< one of this name, but with another type, labels or bounds
  };
  Found find(const Shape& shape) const;
  Found make(const Shape& shape) const;
  Metric find_or_make(const Shape& shape);
  /// The first cell of the row; null: there is none, or this is no worker.
  layout::Cell64* cell(std::uint32_t metric, std::uint32_t row, Kind kind) const;
  void say_overflow(const Metric& metric) const;

  Memory memory_;
  const int generation_;
  bool open_ = true;
  std::vector<Metric> metrics_;
  layout::Cell64* seat_ = nullptr;
};

}  // namespace serval::metrics
