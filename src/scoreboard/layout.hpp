#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/shared_cells.hpp"
#include "scoreboard/counters.hpp"

/// How the scoreboard's bytes lie in memory. For memory, writer and reader only; a change of it counts kVersion up.
///
/// ```
/// FirstPage | slot 0: SlotCells, rows × RequestRow | slot 1: ... | ...      each | on a page
/// ```
/// All bytes zero is a valid scoreboard without workers: a fresh file's pages need no setting up and cost nothing until
/// they are written. Times are nanoseconds of the monotonic clock, which all processes of a machine share.
namespace serval::scoreboard::layout {

inline constexpr std::uint64_t kMagic = 0x6c61'7672'6573'0a01;
inline constexpr std::uint32_t kVersion = 2;
inline constexpr std::size_t kPage = 4096;  ///< where pages are larger, a few slots share one
inline constexpr std::size_t kCacheLine = 64;
inline constexpr int kMaxSlots = 16384;
inline constexpr int kMaxRows = 4096;

/// Written once, before any process maps the file; read with pread(2), before anything is mapped.
struct FileHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::int32_t slots;
  std::int32_t rows;
  std::uint32_t reserved;
};
static_assert(sizeof(FileHeader) == 24 && std::is_trivially_copyable_v<FileHeader>);

using serval::Cell32;
using serval::Cell64;
using serval::Signed32;
using serval::Signed64;

/// Written by the master, for the workers: older versions leave it zero, which says that nothing is out of the
/// ordinary.
struct alignas(kCacheLine) ServerCells {
  Cell32 state;       ///< the bits of ServerState, in the order of its flags
  Cell64 comparison;  ///< Comparison: the generation in the high half, its part in the low one
};

struct HistogramCells {
  std::array<Cell64, kBuckets> counts;
  Cell64 sum;  ///< nanoseconds
};

/// What is counted of the requests of a worker's life, or of a generation.
struct RequestCells {
  std::array<Cell64, kStatusClasses> answers;  ///< by the first digit of their status
  HistogramCells durations;
};

/// A text in words of 8 bytes: their order is memory's, so it reads as it was written on the same machine.
template <std::size_t kBytes>
using Text = std::array<Cell64, kBytes / sizeof(std::uint64_t)>;

/// One of the requests that a bucket has counted (Exemplar). Written as a RequestRow is.
struct ExemplarCells {
  Cell64 version;
  Signed64 at;  ///< 0: none yet
  Signed64 duration;
  Cell64 sizes;  ///< of the two texts, 16 bits each, the first one's lowest
  Text<72> request_id;
  Text<32> trace_id;
};

/// What the workers of a generation have counted that have ended. Written by the master.
struct alignas(kCacheLine) GenerationCells {
  Signed32 generation;  ///< 0: none yet
  Cell64 lost;          ///< requests, with their workers
  RequestCells requests;
};

/// The first page. Of generations as many are remembered as may live at a time; a later one takes the place of an
/// earlier one.
inline constexpr int kGenerations = 8;
struct FirstPage {
  alignas(kCacheLine) std::array<std::byte, sizeof(FileHeader)> header;
  ServerCells server;
  std::array<GenerationCells, kGenerations> generations;
};
static_assert(sizeof(FirstPage) <= kPage);

/// Written by the thread that has the worker's I/O loop; by the master when there is no worker.
struct alignas(kCacheLine) SlotCells {
  // What belongs to the life of one worker.
  Signed32 pid;  ///< 0: no worker
  Signed32 generation;
  Cell32 phase;
  Signed32 loop_thread;
  Signed64 begun;
  Signed64 beat;
  Cell64 requests;
  /// There is room for one more before the counters would move, which is another kVersion.
  std::array<Signed32, kGauges.size()> gauges;

  // What goes on over all of them.
  alignas(kCacheLine) std::array<Cell64, kCounters.size()> counters;
  std::array<HistogramCells, kHistograms.size()> histograms;
  std::array<Cell64, kStatuses> answers;

  /// What had been counted when the worker of now began: the rest is its own. Written by the master.
  alignas(kCacheLine) RequestCells before;

  /// By bucket of Histogram::request_duration; they outlive their worker.
  std::array<ExemplarCells, kBuckets> exemplars;
};

/// One request in progress, written by one app thread. A seqlock without fences, which ThreadSanitizer does not know
/// (Boehm, "Can seqlocks get along with programming language memory models?", 2012): the writer makes `version` odd,
/// stores the cells with release, and makes it even; a thread that reads a cell of a later writing with acquire then
/// also finds the later version. Both are plain moves on x86-64.
struct alignas(kCacheLine) RequestRow {
  Cell64 version;     ///< odd while it is written
  Signed64 started;   ///< 0: no request
  Signed64 deadline;  ///< max: none
  Signed32 thread;
  Cell32 reserved;
  Cell64 sizes;     ///< of the four texts, 16 bits each, the first one's lowest
  Text<16> method;  // short ones first: a usual request touches few cache lines
  Text<48> peer;
  Text<128> request_id;
  Text<280> target;
};
static_assert(sizeof(RequestRow) == 512);
static_assert(std::is_standard_layout_v<SlotCells> && std::is_standard_layout_v<RequestRow>);
static_assert(sizeof(SlotCells) % kCacheLine == 0);

}  // namespace serval::scoreboard::layout
