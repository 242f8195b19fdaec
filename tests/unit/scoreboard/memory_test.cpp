#include "scoreboard/memory.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "scoreboard/reader.hpp"
#include "scoreboard/writer.hpp"

namespace serval::scoreboard {
namespace {

using layout::FileHeader;
using testing::HasSubstr;

Memory make(int slots, int rows) {
  auto memory = Memory::create({slots, rows});
  EXPECT_TRUE(memory) << memory.error();
  return std::move(*memory);
}

off_t bytes_of(int fd) {
  struct stat info {};
  EXPECT_EQ(::fstat(fd, &info), 0);
  return info.st_size;
}

long kilobytes_of(int fd) {
  struct stat info {};
  EXPECT_EQ(::fstat(fd, &info), 0);
  return info.st_blocks / 2;  // of 512 bytes each
}

/// A memory file that begins with `header`, and has `bytes`.
UniqueFd file_of(const FileHeader& header, off_t bytes, bool sealed = true) {
  UniqueFd fd(::memfd_create("scoreboard-test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_EQ(::pwrite(fd.get(), &header, sizeof header, 0), static_cast<ssize_t>(sizeof header));
  EXPECT_EQ(::ftruncate(fd.get(), bytes), 0);
  const int seals = sealed ? F_SEAL_SHRINK | F_SEAL_GROW : 0;
  EXPECT_EQ(::fcntl(fd.get(), F_ADD_SEALS, seals), 0);
  return fd;
}

std::string refusal(int fd) {
  const auto memory = Memory::map(fd);
  return memory ? "mapped" : memory.error();
}

TEST(Memory, is_mapped_by_another_with_the_same_size_and_content) {
  Memory memory = make(3, 5);
  EXPECT_EQ(::fcntl(memory.fd(), F_GETFD), FD_CLOEXEC);
  auto other = Memory::map(memory.fd());
  ASSERT_TRUE(other) << other.error();
  EXPECT_NE(other->fd(), memory.fd());
  EXPECT_EQ(other->size().slots, 3);
  EXPECT_EQ(other->size().rows, 5);

  WorkerBoard board(memory, 2);
  board.begin(7, 1234, TimePoint::min());
  EXPECT_EQ(read_slot(*other, 2).pid, 1234);
  WorkerBoard(*other, 2).count({.status = 200});
  EXPECT_EQ(board.requests(), 1u);
}

TEST(Memory, can_be_moved) {
  Memory memory = make(1, 1);
  WorkerBoard(memory, 0).begin(1, 11, {});
  Memory moved = std::move(memory);
  EXPECT_EQ(read_slot(moved, 0).pid, 11);
  Memory other = make(2, 2);
  other = std::move(moved);
  EXPECT_EQ(other.size().slots, 1);
  EXPECT_EQ(read_slot(other, 0).pid, 11);
}

TEST(Memory, nobody_can_change_its_size) {
  const Memory memory = make(1, 1);
  EXPECT_NE(::ftruncate(memory.fd(), 0), 0);
  EXPECT_NE(::ftruncate(memory.fd(), 1 << 20), 0);
  EXPECT_NE(::fcntl(memory.fd(), F_ADD_SEALS, F_SEAL_WRITE), 0);
}

TEST(Memory, slots_and_rows_lie_apart) {
  Memory memory = make(3, 9);
  std::vector<std::byte*> begins;
  for (int slot = 0; slot < 3; ++slot) {
    begins.push_back(reinterpret_cast<std::byte*>(&memory.cells(slot)));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(begins.back()) % layout::kPage, 0u);
    for (int row = 0; row < 9; ++row) {
      auto* begin = reinterpret_cast<std::byte*>(&memory.row(slot, row));
      EXPECT_GE(begin - begins.back(),
                static_cast<std::ptrdiff_t>(row == 0 ? sizeof(layout::SlotCells) : sizeof(layout::RequestRow)));
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(begin) % layout::kCacheLine, 0u);
      begins.push_back(begin);
    }
  }
}

TEST(Memory, unused_slots_cost_nothing_even_when_they_are_read) {
  Memory memory = make(2000, 64);
  EXPECT_LE(kilobytes_of(memory.fd()), 64);
  for (const int slot : {0, 7, 1999}) {
    WorkerBoard board(memory, slot);
    board.begin(1, 100 + slot, {});
    board.count({.status = 200});
  }
  EXPECT_EQ(read_totals(memory).answers_with(200), 3u);
  for (int slot = 0; slot < 2000; ++slot) {
    EXPECT_EQ(read_slot(memory, slot).pid != 0, memory.used(slot));
    EXPECT_TRUE(read_requests(memory, slot).empty());
    clear_slot(memory, slot);
  }
  EXPECT_TRUE(memory.used(7));
  EXPECT_FALSE(memory.used(8));
  EXPECT_LE(kilobytes_of(memory.fd()), 512);
}

TEST(Memory, sizes_beyond_reason_are_refused) {
  for (const Size size :
       {Size{0, 1}, Size{1, 0}, Size{-1, 1}, Size{1, -1}, Size{1'000'000'000, 1}, Size{1, 1'000'000'000}}) {
    const auto memory = Memory::create(size);
    ASSERT_FALSE(memory);
    EXPECT_THAT(memory.error(), HasSubstr("cannot have " + std::to_string(size.slots) + " slots with " +
                                          std::to_string(size.rows) + " rows"));
  }
}

TEST(Memory, what_is_no_scoreboard_is_refused) {
  const FileHeader good{layout::kMagic, layout::kVersion, 4, 8, 0};
  const off_t bytes = bytes_of(make(4, 8).fd());
  ASSERT_EQ(refusal(file_of(good, bytes).get()), "mapped");

  EXPECT_THAT(refusal(-1), HasSubstr("Bad file descriptor"));
  EXPECT_THAT(refusal(UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)).get()), HasSubstr("not sealed"));
  EXPECT_THAT(refusal(file_of(good, bytes, false).get()), HasSubstr("not sealed"));
  EXPECT_THAT(refusal(file_of(good, 0).get()), HasSubstr("too short"));
  EXPECT_THAT(refusal(file_of(good, sizeof good - 1).get()), HasSubstr("too short"));
  EXPECT_THAT(refusal(file_of(good, bytes - 1).get()),
              HasSubstr("bytes, and 4 slots with 8 rows need " + std::to_string(bytes)));
  EXPECT_THAT(refusal(file_of(good, bytes + 4096).get()), HasSubstr("need " + std::to_string(bytes)));
  EXPECT_THAT(refusal(file_of({}, bytes).get()), HasSubstr("does not begin like one"));
  FileHeader header = good;
  header.version += 1;
  EXPECT_THAT(refusal(file_of(header, bytes).get()),
              HasSubstr("its layout is version " + std::to_string(header.version)));
  for (const auto& [slots, rows] :
       std::vector<std::pair<int, int>>{{0, 8}, {-4, 8}, {4, 0}, {4, -8}, {2'147'483'647, 2'147'483'647}}) {
    EXPECT_THAT(refusal(file_of({layout::kMagic, layout::kVersion, slots, rows, 0}, bytes).get()),
                HasSubstr("it claims to have"));
  }
  EXPECT_THAT(refusal(file_of({layout::kMagic, layout::kVersion, 5, 8, 0}, bytes).get()), HasSubstr("need"));
}

}  // namespace
}  // namespace serval::scoreboard
