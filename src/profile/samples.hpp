#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"

/// What a worker's sampler leaves behind: a region of a memory file in which equal stacks are counted together. It is
/// written in place, so that a worker which dies leaves what it has. Whoever reads it believes nothing of it.
///
/// ```
/// Header | at kMapsOffset: lines of /proc/PID/maps | at kStacksOffset: stacks, each StackHead and its addresses
/// ```
namespace serval::profile {

inline constexpr std::size_t kMaxDepth = 128;  ///< frames of a stack; the innermost are kept
inline constexpr std::size_t kMapsOffset = 4096;
inline constexpr std::size_t kStacksOffset = std::size_t{1} << 20;
/// Pages that are not written to take no memory.
inline constexpr std::size_t kMinRegion = 2 * kStacksOffset;
inline constexpr std::size_t kMaxRegion = 8 * kStacksOffset;
inline constexpr std::size_t kMaxAllRegions = 256 * kStacksOffset;

/// How large each of so many is; less than kMinRegion: there are too many.
constexpr std::size_t region_size(std::size_t regions) {
  const std::size_t share = kMaxAllRegions / (regions == 0 ? 1 : regions) / kMapsOffset * kMapsOffset;
  return share > kMaxRegion ? kMaxRegion : share;
}

/// What is said of the samples besides; figures for people, nothing hangs on them.
struct Tally {
  std::uint64_t taken = 0;      ///< samples, each with its weight
  std::uint64_t lost = 0;       ///< a thread's were more than could be taken, or there was no room
  std::uint64_t silent = 0;     ///< a thread that was asked did not answer before its next turn
  std::uint64_t lasted_ns = 0;  ///< how long samples have been taken
  std::uint64_t cost_ns = 0;    ///< of CPU time, in the worker
};

/// One at a time per region.
class SampleWriter {
 public:
  /// `region` is all zero and of region_size(); it is borrowed. Lines of `maps` that do not fit are left out.
  SampleWriter(std::span<std::byte> region, std::string_view maps);

  /// Instead of those that there were: the app may have loaded libraries since.
  void set_maps(std::string_view maps);

  /// Innermost first, kMaxDepth at most. What finds no room counts as lost.
  void add(std::span<const std::uint64_t> addresses, std::uint64_t weight);
  void lose(std::uint64_t weight) { tally_.lost += weight; }
  void miss() { ++tally_.silent; }
  /// The figures become visible.
  void publish(std::uint64_t lasted_ns, std::uint64_t cost_ns);

  const Tally& tally() const { return tally_; }

 private:
  std::size_t find(std::span<const std::uint64_t> addresses, std::uint64_t hash) const;

  std::span<std::byte> region_;
  std::size_t used_ = 0;                                        ///< bytes of stacks
  std::unordered_multimap<std::uint64_t, std::size_t> places_;  ///< by hash
  Tally tally_;
};

/// A stack that was seen.
struct RawStack {
  std::vector<std::uint64_t> addresses;  ///< innermost first
  std::uint64_t weight = 0;
};

struct Samples {
  Tally tally;
  std::string maps;
  std::vector<RawStack> stacks;
};

/// Any bytes give some result, or an error; no more memory than they have themselves, a few times over. All zero is a
/// worker that never began.
Result<Samples> read_samples(std::span<const std::byte> region);

}  // namespace serval::profile
