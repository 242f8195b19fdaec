#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "metrics/layout.hpp"
#include "os/unique_fd.hpp"

namespace serval::metrics {

/// The memory file that the app's metrics are in, all zero, of a size that cannot change; one for each server, made by
/// its master. `seats`: of the scoreboard.
Result<UniqueFd> make_file(int seats);
/// Whether this version knows the layout of that one.
Result<void> check_file(int fd);

/// Which pages of a file were ever written to: a look at another one would make it exist.
class UsedPages {
 public:
  explicit UsedPages(std::size_t bytes) : used_((bytes + layout::kPage - 1) / layout::kPage) {}
  void add(std::size_t begin, std::size_t end);
  /// All `size` bytes from there on.
  bool has(std::size_t begin, std::size_t size) const;

 private:
  std::vector<bool> used_;
};

/// A mapping of it. Any thread. A fork's child has the mapping too, and may use it. Of a descriptor that can only be
/// read from it is for readers alone. A core dump leaves it out.
class Memory {
 public:
  /// The descriptor stays the caller's.
  static Result<Memory> map(int fd);
  /// One of this process and its children alone, for one seat: for an app that is loaded without a server.
  static Result<Memory> make_own();

  Memory(Memory&& other) noexcept;
  Memory& operator=(Memory&& other) noexcept;
  ~Memory();

  int seats() const { return seats_; }
  UsedPages used_pages(int fd) const;

  layout::FirstPage& first_page() const { return *at<layout::FirstPage>(0); }
  layout::FamilyRecord& family(std::size_t index) const;
  layout::Place& place(std::size_t index) const;
  /// All kCells of the seat.
  layout::Cell64* cells(int seat) const;

 private:
  Memory(int seats, std::byte* start) : seats_(seats), start_(start) {}
  template <class T>
  T* at(std::size_t offset) const {
    return reinterpret_cast<T*>(start_ + offset);
  }

  int seats_ = 0;
  std::byte* start_ = nullptr;
};

/// Where they lie in the file.
std::size_t place_offset(std::size_t index);
std::size_t family_offset(std::size_t index);
std::size_t cell_offset(int seat, std::size_t cell);

}  // namespace serval::metrics
