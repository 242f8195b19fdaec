#include "metrics/memory.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/memory_file.hpp"

namespace serval::metrics {
namespace {

using testing::HasSubstr;

long kilobytes_of(int fd) {
  struct stat info {};
  EXPECT_EQ(::fstat(fd, &info), 0);
  return info.st_blocks / 2;  // of 512 bytes each
}

TEST(Memory, costs_only_what_is_written) {
  const UniqueFd file = std::move(*make_file(2048));
  auto memory = Memory::map(file.get());
  ASSERT_TRUE(memory) << memory.error();
  EXPECT_EQ(memory->seats(), 2048);
  const long before = kilobytes_of(file.get());
  EXPECT_LE(before, 64);  // where pages are large
  memory->cells(2047)[layout::kCells - 1] = 1;
  EXPECT_LE(kilobytes_of(file.get()), before + 64);
}

TEST(Memory, knows_which_pages_were_written) {
  const UniqueFd file = std::move(*make_file(4));
  auto memory = Memory::map(file.get());
  ASSERT_TRUE(memory);
  memory->cells(2)[5] = 1;
  const long before = kilobytes_of(file.get());
  const UsedPages pages = memory->used_pages(file.get());
  EXPECT_TRUE(pages.has(0, 8));
  EXPECT_TRUE(pages.has(cell_offset(2, 5), 8));
  EXPECT_FALSE(pages.has(cell_offset(1, 5), 8));
  EXPECT_FALSE(pages.has(cell_offset(3, 5), 8));
  EXPECT_FALSE(pages.has(cell_offset(2, 5), layout::kBytesOfSeat));
  EXPECT_FALSE(pages.has(cell_offset(4, 0), 8));  // the end of the file
  EXPECT_EQ(kilobytes_of(file.get()), before);
}

TEST(Memory, is_read_through_a_descriptor_that_cannot_write) {
  const UniqueFd file = std::move(*make_file(1));
  auto memory = Memory::map(file.get());
  const UniqueFd looking = os::read_only(file.get());
  auto reader = Memory::map(looking.get());
  ASSERT_TRUE(memory && reader);
  memory->cells(0)[3] = 7;
  EXPECT_EQ(reader->cells(0)[3].load(), 7u);
  EXPECT_EQ(::pwrite(looking.get(), "x", 1, 0), -1);
  EXPECT_FALSE(os::read_only(-1));
}

TEST(Memory, refuses_other_files) {
  const auto refusal = [](int fd) {
    const auto memory = Memory::map(fd);
    EXPECT_EQ(memory.has_value(), check_file(fd).has_value());
    return memory ? "mapped" : memory.error();
  };
  EXPECT_THAT(refusal(-1), HasSubstr("not sealed"));
  const UniqueFd empty = std::move(*os::make_blank_memory_file("test", "a test", 8192));
  EXPECT_THAT(refusal(empty.get()), HasSubstr("does not begin like one"));
  const auto with = [&](layout::FileHeader header) {
    EXPECT_EQ(::pwrite(empty.get(), &header, sizeof header, 0), static_cast<ssize_t>(sizeof header));
    return refusal(empty.get());
  };
  EXPECT_THAT(with({layout::kMagic, layout::kVersion + 1, 1}), HasSubstr("its layout is version"));
  EXPECT_THAT(with({layout::kMagic, layout::kVersion, 0}), HasSubstr("0 seats"));
  EXPECT_THAT(with({layout::kMagic, layout::kVersion, layout::kMaxSeats + 1}), HasSubstr("seats"));
  EXPECT_THAT(with({layout::kMagic, layout::kVersion, 1}), HasSubstr("its size is another one"));
}

}  // namespace
}  // namespace serval::metrics
