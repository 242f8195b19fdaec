#include "scoreboard/memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/check.hpp"
#include "base/errno_text.hpp"

namespace serval::scoreboard {
namespace {

using layout::FileHeader;
using layout::kPage;
using layout::RequestRow;
using layout::SlotCells;

constexpr auto kRelaxed = std::memory_order_relaxed;

bool sensible(Size size) {
  return size.slots >= 1 && size.slots <= layout::kMaxSlots && size.rows >= 1 && size.rows <= layout::kMaxRows;
}

/// The most of it is 34 GB, so nothing overflows here.
std::size_t bytes_of_slot(Size size) {
  const std::size_t bytes = sizeof(SlotCells) + static_cast<std::size_t>(size.rows) * sizeof(RequestRow);
  return (bytes + kPage - 1) / kPage * kPage;
}

std::size_t bytes_of_file(Size size) { return kPage + static_cast<std::size_t>(size.slots) * bytes_of_slot(size); }

std::string text_of(Size size) {
  return std::to_string(size.slots) + " slots with " + std::to_string(size.rows) + " rows";
}

Error system_error(const std::string& what) { return Error{what + ": " + errno_text()}; }
Error not_ours(int fd, const std::string& why) {
  return Error{"descriptor " + std::to_string(fd) + " is no scoreboard: " + why};
}

/// `started` is zero and `version` even in a row without a request; what a killed worker began to write is dropped.
void clear_row(RequestRow& row) {
  const std::uint64_t version = row.version.load(kRelaxed);
  if (row.started.load(kRelaxed) == 0 && version % 2 == 0) return;
  row.started.store(0, std::memory_order_release);
  row.version.store((version | 1) + 1, std::memory_order_release);
}

}  // namespace

Result<Memory> Memory::create(Size size) {
  if (!sensible(size)) return Error{"a scoreboard cannot have " + text_of(size)};
  UniqueFd fd(::memfd_create("serval-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_error("cannot make a memory file for the scoreboard");
  if (::ftruncate(fd.get(), static_cast<off_t>(bytes_of_file(size))) != 0) {
    return system_error("cannot make the scoreboard's memory file as large as " + text_of(size) + " need, " +
                        std::to_string(bytes_of_file(size)) + " bytes");
  }
  const FileHeader header{layout::kMagic, layout::kVersion, size.slots, size.rows, 0};
  if (::pwrite(fd.get(), &header, sizeof header, 0) != sizeof header)
    return system_error("cannot write the scoreboard's header");
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return system_error("cannot seal the scoreboard");
  return map_whole(std::move(fd), size);
}

Result<Memory> Memory::map(int fd) {
  UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, fd));  // as high as that one: its owner may have put it out of an app's way
  if (!own) return not_ours(fd, errno_text());
  const int seals = ::fcntl(own.get(), F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) return not_ours(fd, "its size is not sealed");
  FileHeader header{};
  if (::pread(own.get(), &header, sizeof header, 0) != sizeof header) return not_ours(fd, "it is too short");
  if (header.magic != layout::kMagic) return not_ours(fd, "it does not begin like one");
  if (header.version != layout::kVersion) {
    return not_ours(fd, "its layout is version " + std::to_string(header.version) + ", this serval has " +
                            std::to_string(layout::kVersion));
  }
  const Size size{header.slots, header.rows};
  if (!sensible(size)) return not_ours(fd, "it claims to have " + text_of(size));
  struct stat info {};
  if (::fstat(own.get(), &info) != 0) return not_ours(fd, errno_text());
  if (static_cast<std::size_t>(info.st_size) != bytes_of_file(size)) {
    return not_ours(fd, "it has " + std::to_string(info.st_size) + " bytes, and " + text_of(size) + " need " +
                            std::to_string(bytes_of_file(size)));
  }
  return map_whole(std::move(own), size);
}

Result<Memory> Memory::map_whole(UniqueFd fd, Size size) {
  const bool read_only = (::fcntl(fd.get(), F_GETFL) & O_ACCMODE) == O_RDONLY;
  void* start =
      ::mmap(nullptr, bytes_of_file(size), read_only ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (start == MAP_FAILED) return system_error("cannot map a scoreboard of " + text_of(size));
  // A dump reads, and so makes, every page; and it would hold the requests of all other workers.
  ::madvise(start, bytes_of_file(size), MADV_DONTDUMP);
  return Memory(std::move(fd), size, static_cast<std::byte*>(start));
}

Memory::Memory(Memory&& other) noexcept
    : fd_(std::move(other.fd_)), size_(other.size_), start_(std::exchange(other.start_, nullptr)) {}

Memory& Memory::operator=(Memory&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  std::swap(start_, other.start_);
  return *this;
}

Memory::~Memory() {
  if (start_ != nullptr) ::munmap(start_, bytes_of_file(size_));
}

std::byte* Memory::at(int slot, std::size_t offset) const {
  SERVAL_CHECK(start_ != nullptr && slot >= 0 && slot < size_.slots);
  return start_ + kPage + static_cast<std::size_t>(slot) * bytes_of_slot(size_) + offset;
}

int Memory::next_used(int slot) const {
  if (slot >= size_.slots) return -1;
  const off_t begin = at(slot, 0) - start_;
  const off_t data = ::lseek(fd_.get(), begin, SEEK_DATA);
  // ENXIO: no data from there on. Any other answer is none, and a look at the pages is safe.
  if (data < 0) return errno == ENXIO ? -1 : slot;
  return slot + static_cast<int>((data - begin) / static_cast<off_t>(bytes_of_slot(size_)));
}

const layout::FirstPage& Memory::first_page() const {
  SERVAL_CHECK(start_ != nullptr);
  return *reinterpret_cast<const layout::FirstPage*>(start_);
}

layout::ServerCells& Memory::server() { return const_cast<layout::ServerCells&>(std::as_const(*this).server()); }

const layout::ServerCells& Memory::server() const { return first_page().server; }

layout::GenerationCells& Memory::generation(int number) {
  return const_cast<layout::GenerationCells&>(std::as_const(*this).generation(number));
}

const layout::GenerationCells& Memory::generation(int number) const {
  return first_page().generations[static_cast<std::size_t>(number) % layout::kGenerations];
}

layout::SlotCells& Memory::cells(int slot) { return *reinterpret_cast<SlotCells*>(at(slot, 0)); }

const layout::SlotCells& Memory::cells(int slot) const { return *reinterpret_cast<const SlotCells*>(at(slot, 0)); }

layout::RequestRow& Memory::row(int slot, int index) {
  return const_cast<RequestRow&>(std::as_const(*this).row(slot, index));
}

const layout::RequestRow& Memory::row(int slot, int index) const {
  SERVAL_CHECK(index >= 0 && index < size_.rows);
  return *reinterpret_cast<const RequestRow*>(
      at(slot, sizeof(SlotCells) + static_cast<std::size_t>(index) * sizeof(RequestRow)));
}

void clear_slot(Memory& memory, int slot) {
  if (!memory.used(slot)) return;
  SlotCells& cells = memory.cells(slot);
  cells.pid.store(0, kRelaxed);
  cells.phase.store(static_cast<std::uint32_t>(WorkerPhase::none), kRelaxed);
  cells.generation.store(0, kRelaxed);
  cells.loop_thread.store(0, kRelaxed);
  cells.begun.store(0, kRelaxed);
  cells.beat.store(0, kRelaxed);
  cells.requests.store(0, kRelaxed);
  for (auto& gauge : cells.gauges) gauge.store(0, kRelaxed);
  for (int row = 0; row < memory.size().rows; ++row) clear_row(memory.row(slot, row));
}

}  // namespace serval::scoreboard
