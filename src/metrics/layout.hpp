#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/shared_cells.hpp"
#include "metrics/shape.hpp"

/// How the bytes of the app's metrics lie in memory. For this folder only; a change of it counts kVersion up.
///
/// ```
/// FirstPage | families | places for rows | cells of seat 0 | cells of seat 1 | ...
/// ```
/// All bytes zero is a valid file without metrics: pages need no setting up, and cost nothing until they are written.
///
/// Why a file of its own beside the scoreboard's: an app may have none of it, the scoreboard's layout need not change,
/// so that an upgrade from a version without it is one like any other, and the master, which makes the file, never has
/// to map it. Why one for all generations: what has the same name is in the same cells, so a counter goes on over
/// workers, molds and reloads, and over an upgrade, without a process that carries it on; the mold, which cannot send
/// descriptors and is not believed, only writes what it declares.
namespace serval::metrics::layout {

inline constexpr std::uint64_t kMagic = 0x6c61'7672'6573'0a02;
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kPage = 4096;
inline constexpr std::size_t kCacheLine = 64;
inline constexpr int kMaxSeats = 16384;

/// What there is of each. Nothing is ever given back: what a generation has declared may be counted in by its workers,
/// and shown again after a rollback. It is enough for years of reloads, most of which declare what is there.
inline constexpr std::size_t kFamilies = 512;
inline constexpr std::size_t kPlaces = 16384;   ///< for combinations of label values, of all families
inline constexpr std::size_t kCells = 16384;    ///< of each seat
inline constexpr std::size_t kGenerations = 8;  ///< which may live at a time; as on the scoreboard

/// Written once, before any process maps the file; read with pread(2), before anything is mapped.
struct FileHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::int32_t seats;
};
static_assert(sizeof(FileHeader) == 16 && std::is_trivially_copyable_v<FileHeader>);

using serval::Cell32;
using serval::Cell64;
using serval::Signed32;

/// How much is taken, by whichever mold takes more: a number that only grows needs no lock.
struct FirstPage {
  alignas(kCacheLine) std::array<std::byte, sizeof(FileHeader)> header;
  alignas(kCacheLine) Cell32 families;
  Cell32 places;
  Cell32 cells;
};
static_assert(sizeof(FirstPage) <= kPage);

/// Bytes in words of 8, up to the first NUL: their order is memory's, so they read as they were written on the same
/// machine.
template <std::size_t kBytes>
using Text = std::array<Cell64, (kBytes + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t)>;

/// What a mold has declared.
struct alignas(kCacheLine) FamilyRecord {
  Cell32 published;  ///< 1: all that follows is there
  Cell32 kind;
  Cell32 labels;
  Cell32 bounds;
  Cell32 rows;         ///< that may be filled
  Cell32 first_place;  ///< of places_of(rows)
  Cell32 first_cell;   ///< of cells_of(shape), in each seat
  Cell32 filled;       ///< rows
  Cell32 overflow_said;
  Cell32 reserved;
  std::array<Signed32, kGenerations> generations;  ///< that have declared it, each at its number modulo kGenerations
  Text<kMaxName> name;
  Text<kMaxHelp> help;
  std::array<Text<kMaxLabelName>, kMaxLabels> label_names;
  std::array<Cell64, kMaxBounds> bound_bits;  ///< of doubles
};

inline constexpr std::size_t kWordsOfValue = kMaxValue / sizeof(std::uint64_t);

/// A row of a family with labels: which values it stands for. A process that finds a tag without `whole` writes the
/// same words once more, so a process that was killed between the two leaves nothing behind.
struct alignas(kCacheLine) Place {
  Cell64 tag;    ///< made of the values (rows.hpp); 0: free
  Cell64 whole;  ///< 1: the values are there
  std::array<std::array<Cell64, kWordsOfValue>, kMaxLabels> values;
};
static_assert(sizeof(Place) == 256);

inline constexpr std::size_t kFamiliesAt = kPage;
inline constexpr std::size_t kPlacesAt = (kFamiliesAt + kFamilies * sizeof(FamilyRecord) + kPage - 1) / kPage * kPage;
inline constexpr std::size_t kCellsAt = kPlacesAt + kPlaces * sizeof(Place);
inline constexpr std::size_t kBytesOfSeat = kCells * sizeof(Cell64);
static_assert(kCellsAt % kPage == 0 && kBytesOfSeat % kPage == 0);

}  // namespace serval::metrics::layout
