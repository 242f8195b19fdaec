#include "metrics/memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/check.hpp"
#include "base/errno_text.hpp"
#include "os/memory_file.hpp"

namespace serval::metrics {
namespace {

using layout::FileHeader;
using layout::kPage;

std::size_t bytes_of_file(int seats) {
  return layout::kCellsAt + static_cast<std::size_t>(seats) * layout::kBytesOfSeat;
}

Error not_ours(const std::string& why) { return Error{"this is no file of an app's metrics: " + why}; }

/// How many seats it has, after a look at all that a mapping depends on.
Result<int> seats_of(int fd) {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) return not_ours("its size is not sealed");
  FileHeader header{};
  if (::pread(fd, &header, sizeof header, 0) != sizeof header) return not_ours("it is too short");
  if (header.magic != layout::kMagic) return not_ours("it does not begin like one");
  if (header.version != layout::kVersion)
    return not_ours("its layout is version " + std::to_string(header.version) + ", this serval has " +
                    std::to_string(layout::kVersion));
  if (header.seats < 1 || header.seats > layout::kMaxSeats)
    return not_ours("it claims to have " + std::to_string(header.seats) + " seats");
  struct stat info {};
  if (::fstat(fd, &info) != 0) return not_ours(errno_text());
  if (static_cast<std::size_t>(info.st_size) != bytes_of_file(header.seats)) return not_ours("its size is another one");
  return header.seats;
}

}  // namespace

Result<UniqueFd> make_file(int seats) {
  SERVAL_CHECK(seats >= 1 && seats <= layout::kMaxSeats);
  auto fd = os::make_blank_memory_file("serval-app-metrics", "the app's metrics", bytes_of_file(seats));
  if (!fd) return fd;
  const FileHeader header{layout::kMagic, layout::kVersion, seats};
  if (::pwrite(fd->get(), &header, sizeof header, 0) != sizeof header)
    return Error{"cannot write the header of the app's metrics: " + errno_text()};
  return fd;
}

Result<void> check_file(int fd) {
  if (const auto seats = seats_of(fd); !seats) return Error{seats.error()};
  return {};
}

void UsedPages::add(std::size_t begin, std::size_t end) {
  for (std::size_t page = begin / kPage; page * kPage < end && page < used_.size(); ++page) used_[page] = true;
}

bool UsedPages::has(std::size_t begin, std::size_t size) const {
  for (std::size_t page = begin / kPage; page * kPage < begin + size; ++page) {
    if (page >= used_.size() || !used_[page]) return false;
  }
  return true;
}

Result<Memory> Memory::map(int fd) {
  const auto seats = seats_of(fd);
  if (!seats) return Error{seats.error()};
  const bool read_only = (::fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY;
  const std::size_t size = bytes_of_file(*seats);
  void* start = ::mmap(nullptr, size, read_only ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (start == MAP_FAILED) return Error{"cannot map the app's metrics: " + errno_text()};
  ::madvise(start, size, MADV_DONTDUMP);  // a dump reads, and so makes, every page
  return Memory(*seats, static_cast<std::byte*>(start));
}

Result<Memory> Memory::make_own() {
  const auto fd = make_file(1);
  if (!fd) return Error{fd.error()};
  return map(fd->get());
}

Memory::Memory(Memory&& other) noexcept : seats_(other.seats_), start_(std::exchange(other.start_, nullptr)) {}

Memory& Memory::operator=(Memory&& other) noexcept {
  std::swap(seats_, other.seats_);
  std::swap(start_, other.start_);
  return *this;
}

Memory::~Memory() {
  if (start_ != nullptr) ::munmap(start_, bytes_of_file(seats_));
}

UsedPages Memory::used_pages(int fd) const {
  const auto size = static_cast<off_t>(bytes_of_file(seats_));
  UsedPages pages(static_cast<std::size_t>(size));
  off_t at = 0;
  while (at < size) {
    const off_t begin = ::lseek(fd, at, SEEK_DATA);
    if (begin < 0) break;  // ENXIO: there is no more
    const off_t end = ::lseek(fd, begin, SEEK_HOLE);
    if (end <= begin) break;
    pages.add(static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
    at = end;
  }
  return pages;
}

std::size_t family_offset(std::size_t index) { return layout::kFamiliesAt + index * sizeof(layout::FamilyRecord); }
std::size_t place_offset(std::size_t index) { return layout::kPlacesAt + index * sizeof(layout::Place); }
std::size_t cell_offset(int seat, std::size_t cell) {
  return layout::kCellsAt + static_cast<std::size_t>(seat) * layout::kBytesOfSeat + cell * sizeof(layout::Cell64);
}

layout::FamilyRecord& Memory::family(std::size_t index) const {
  SERVAL_CHECK(index < layout::kFamilies);
  return *at<layout::FamilyRecord>(family_offset(index));
}

layout::Place& Memory::place(std::size_t index) const {
  SERVAL_CHECK(index < layout::kPlaces);
  return *at<layout::Place>(place_offset(index));
}

layout::Cell64* Memory::cells(int seat) const {
  SERVAL_CHECK(seat >= 0 && seat < seats_);
  return at<layout::Cell64>(cell_offset(seat, 0));
}

}  // namespace serval::metrics
