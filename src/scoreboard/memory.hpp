#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/result.hpp"
#include "os/unique_fd.hpp"
#include "scoreboard/layout.hpp"

/// The scoreboard: what every worker counts and which requests it has in progress, in memory that master and workers
/// share (memfd_create(2)). Workers write without locks (writer.hpp); a reader (reader.hpp) sees it also while a worker
/// hangs and after it was killed.
namespace serval::scoreboard {

struct Size {
  int slots = 1;  ///< 1 to 16384
  int rows = 1;   ///< requests in progress that a slot has room for, 1 to 4096
};

/// How far the worker in a slot is; `none`: there is no worker.
enum class WorkerPhase : std::uint32_t { none, booting, serving, draining };

/// A mapping of the scoreboard, and a descriptor of its file. Any thread. A fork's child has the mapping too, and may
/// use it. Slots that were never written to cost address space, but no memory. A core dump leaves the mapping out
/// (madvise(2), MADV_DONTDUMP).
class Memory {
 public:
  /// A new one, all zero, of a size that cannot change (fcntl(2), F_SEAL_SHRINK): a mapping never ends before its time.
  static Result<Memory> create(Size size);
  /// The one that another process created, through a descriptor that stays the caller's; through one that can only be
  /// read from, for readers alone: a write would be a crash. An error if it is not of this layout, or not sealed.
  static Result<Memory> map(int fd);

  Memory(Memory&& other) noexcept;
  Memory& operator=(Memory&& other) noexcept;
  ~Memory();

  int fd() const { return fd_.get(); }  ///< close-on-exec
  Size size() const { return size_; }

  /// Whether anything was ever written to the slot. Ask before reading: reading a page of a mapped memfd makes it
  /// exist.
  bool used(int slot) const { return next_used(slot) == slot; }
  /// The first such slot from this one on; -1: there is none. One system call.
  int next_used(int slot) const;
  layout::ServerCells& server();
  const layout::ServerCells& server() const;
  /// Where a generation has its cells, which may be those of another one.
  layout::GenerationCells& generation(int number);
  const layout::GenerationCells& generation(int number) const;
  layout::SlotCells& cells(int slot);
  const layout::SlotCells& cells(int slot) const;
  layout::RequestRow& row(int slot, int index);
  const layout::RequestRow& row(int slot, int index) const;

 private:
  Memory(UniqueFd fd, Size size, std::byte* start) : fd_(std::move(fd)), size_(size), start_(start) {}
  static Result<Memory> map_whole(UniqueFd fd, Size size);
  std::byte* at(int slot, std::size_t offset) const;
  const layout::FirstPage& first_page() const;

  UniqueFd fd_;
  Size size_;
  std::byte* start_ = nullptr;
};

/// Forgets the worker that filled the slot: everything of its life is zero, and no request is in progress; counters
/// stay. For the master once the worker has ended, and for the one that begins: no other process may write to the slot
/// meanwhile.
void clear_slot(Memory& memory, int slot);

}  // namespace serval::scoreboard
