#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/time.hpp"

/// The one table of what a slot of the scoreboard counts: layout.hpp makes room by it, admin's metrics are made from
/// it.
namespace serval::scoreboard {

/// They go on over all workers that fill a slot, and never go back.
enum class Counter : std::uint32_t { timeouts, overloads, clients_gone, connections, bytes_in, bytes_out, log_lines_dropped, spans_dropped };

/// They tell of now, and are zero without a worker.
enum class Gauge : std::uint32_t { connections, running, waiting, strained, unready };

/// Count per bucket and the sum; like counters, they never go back.
enum class Histogram : std::uint32_t { request_duration, queue_wait };

template <class Kind>
struct TableRow {
  Kind kind;
  std::string_view name;
  std::string_view meaning;
};

inline constexpr std::array kCounters = std::to_array<TableRow<Counter>>({
    {Counter::timeouts, "timeouts", "requests answered with 504 because their handler passed its deadline"},
    {Counter::overloads, "overloads",
     "requests refused with 503 because the queue was full or they waited in it for too long"},
    {Counter::clients_gone, "clients_gone", "requests whose client went away before the answer was sent"},
    {Counter::connections, "connections", "connections accepted"},
    {Counter::bytes_in, "bytes_in", "bytes of request bodies received"},
    {Counter::bytes_out, "bytes_out", "bytes of response bodies sent"},
    {Counter::log_lines_dropped, "log_lines_dropped",
     "log and access lines lost because their file, pipe or terminal did not take them"},
    {Counter::spans_dropped, "spans_dropped", "spans of traces lost because the admin process did not take them"},
});

inline constexpr std::array kGauges = std::to_array<TableRow<Gauge>>({
    {Gauge::connections, "connections", "open connections"},
    {Gauge::running, "running", "requests whose handler runs; counted from their rows, the cell is of older versions"},
    {Gauge::waiting, "waiting", "requests that wait for an app thread"},
    {Gauge::strained, "strained", "1: the I/O loop hardly keeps up"},
    {Gauge::unready, "unready", "1: the app's ready() says no; 2: health.drain_file exists; 3: both"},
});

inline constexpr std::array kHistograms = std::to_array<TableRow<Histogram>>({
    {Histogram::request_duration, "request_duration",
     "seconds from the first byte of a request to the last byte of its answer"},
    {Histogram::queue_wait, "queue_wait", "seconds that a request waited for an app thread"},
});

/// The bits of Gauge::unready.
inline constexpr int kAppDeclines = 1;
inline constexpr int kDrainFile = 2;

/// Answers are counted by status code, those from 100 to 599.
inline constexpr int kFirstStatus = 100;
inline constexpr int kStatuses = 500;
constexpr bool is_status(int status) { return status >= kFirstStatus && status < kFirstStatus + kStatuses; }

/// The first digit of a status: 1 to 5.
inline constexpr int kStatusClasses = 5;

/// A histogram's buckets by their upper bounds, inclusive, in seconds; one more bucket takes all that is longer (+Inf).
inline constexpr std::array kBounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                    0.25,   0.5,   1.0,    2.5,   5.0,  10.0,  30.0};
inline constexpr std::size_t kBuckets = kBounds.size() + 1;

/// The same as durations; rounded, since most of them are no binary fractions.
inline constexpr auto kBoundDurations = [] {
  static_assert(Clock::period::num == 1);
  std::array<Clock::duration, kBounds.size()> durations{};
  for (std::size_t i = 0; i < kBounds.size(); ++i)
    durations[i] = Clock::duration(static_cast<Clock::rep>(kBounds[i] * Clock::period::den + 0.5));
  return durations;
}();

/// The number of the bucket that a duration belongs to.
constexpr std::size_t bucket_of(Clock::duration duration) {
  std::size_t bucket = 0;
  while (bucket < kBounds.size() && duration > kBoundDurations[bucket]) ++bucket;
  return bucket;
}

template <class Kind>
constexpr std::size_t index_of(Kind kind) {
  return static_cast<std::size_t>(kind);
}

template <class Table>
constexpr bool in_the_order_of_its_enum(const Table& table) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (index_of(table[i].kind) != i) return false;
  }
  return true;
}
static_assert(in_the_order_of_its_enum(kCounters) && in_the_order_of_its_enum(kGauges) &&
              in_the_order_of_its_enum(kHistograms));

}  // namespace serval::scoreboard
