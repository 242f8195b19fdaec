#include "os/process_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace serval::os {
namespace {

using testing::HasSubstr;

constexpr const char* kRollup =
    "55d0c8a00000-7ffc3a5f2000 ---p 00000000 00:00 0                          [rollup]\n"
    "Rss:                3552 kB\n"
    "Pss:                 917 kB\n"
    "Pss_Dirty:           300 kB\n"
    "Pss_File:             60 kB\n"
    "Shared_Clean:       2900 kB\n"
    "Private_Clean:        52 kB\n"
    "Private_Dirty:       600 kB\n"
    "Referenced:         3552 kB\n"
    "Shared_Hugetlb:        0 kB\n"
    "Private_Hugetlb:    2048 kB\n"
    "SwapPss:               0 kB\n";

TEST(ProcessMemory, resident_is_what_has_no_file_behind_it) {
  EXPECT_EQ(parse_resident("VmRSS:\t   15 kB\nRssAnon:\t    8 kB\nRssFile:\t    4 kB\nRssShmem:\t    3 kB\n"),
            11u * 1024);
  for (const char* text :
       {"", "Name:\tx\nState:\tZ (zombie)\n", "RssAnon:\t 8 kB\n", "RssAnon:\t x kB\nRssShmem:\t 3 kB\n"}) {
    EXPECT_EQ(parse_resident(text), std::nullopt) << text;
  }
}

TEST(ProcessMemory, the_rollup_is_summed_by_whole_keys) {
  const auto rollup = parse_smaps_rollup(kRollup);
  ASSERT_TRUE(rollup);
  EXPECT_EQ(rollup->proportional, (917u - 60u) * 1024);
  EXPECT_EQ(rollup->unique, (52u + 600u - 60u + 2048u) * 1024);

  // A kernel without Pss_File and huge pages.
  const auto older = parse_smaps_rollup("Pss: 1 kB\nPrivate_Clean: 2 kB\nPrivate_Dirty: 3 kB\n");
  ASSERT_TRUE(older);
  EXPECT_EQ(older->proportional, 1u * 1024);
  EXPECT_EQ(older->unique, 5u * 1024);
  // All of it is libraries.
  EXPECT_EQ(parse_smaps_rollup("Pss: 9 kB\nPss_File: 9 kB\nPrivate_Clean: 2 kB\nPrivate_Dirty: 3 kB\n")->unique, 0u);
  for (const char* text :
       {"", "Pss: 1 kB\n", "Pss_Dirty: 1 kB\nPrivate_Clean: 2 kB\nPrivate_Dirty: 3 kB\n",
        "Pss: x kB\nPrivate_Clean: 2 kB\nPrivate_Dirty: 3 kB\n", "Pss: 1\nPrivate_Clean: 2\nPrivate_Dirty: 3\n"}) {
    EXPECT_FALSE(parse_smaps_rollup(text)) << text;
  }
}

class Mapping {
 public:
  explicit Mapping(std::size_t bytes)
      : bytes_(bytes),
        start_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)) {
    std::memset(start_, 1, bytes);
  }
  ~Mapping() { ::munmap(start_, bytes_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

 private:
  std::size_t bytes_;
  void* start_;
};

TEST(ProcessMemory, what_a_process_maps_is_found_and_what_it_shares_is_not_unique) {
  constexpr std::size_t kBytes = std::size_t{32} << 20;
  constexpr std::size_t kMuch = kBytes * 7 / 8;
  const auto resident = resident_bytes(::getpid());
  const auto unique = unique_bytes(::getpid());
  ASSERT_TRUE(resident && unique) << (resident ? unique.error() : resident.error());
  const Mapping mapping(kBytes);
  EXPECT_GT(*resident_bytes(::getpid()), *resident + kMuch);
  EXPECT_GT(*unique_bytes(::getpid()), *unique + kMuch);
  EXPECT_GE(*proportional_bytes(::getpid()), kMuch);

  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[1]);
    char byte = 0;
    ::_exit(static_cast<int>(::read(ends[0], &byte, 1)));
  }
  const auto of_child = unique_bytes(child);
  const auto share = proportional_bytes(child);
  ::close(ends[1]);
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ASSERT_TRUE(of_child && share);
  EXPECT_LT(*of_child, kMuch);
  EXPECT_GT(*share, kMuch / 2);
}

TEST(ProcessMemory, a_mapped_file_counts_for_nothing) {
  constexpr std::size_t kBytes = std::size_t{16} << 20;
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  struct statfs where {};
  ASSERT_EQ(::fstatfs(::fileno(file), &where), 0);
  if (where.f_type == TMPFS_MAGIC) GTEST_SKIP() << "temporary files are memory here";
  ASSERT_EQ(::ftruncate(::fileno(file), kBytes), 0);
  const auto before = resident_bytes(::getpid());  // a sanitizer's own memory is a lot
  ASSERT_TRUE(before);
  void* map = ::mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, ::fileno(file), 0);
  ASSERT_NE(map, MAP_FAILED);
  for (const auto look : {resident_bytes, proportional_bytes, unique_bytes}) {
    const auto with = look(::getpid());
    ASSERT_TRUE(with);
    EXPECT_LT(*with, *before + kBytes / 2);
  }
  ::munmap(map, kBytes);
  std::fclose(file);
}

TEST(ProcessMemory, of_no_process_is_an_error_that_names_the_file) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  const std::string folder = "/proc/" + std::to_string(child);
  const auto resident = resident_bytes(child);
  ASSERT_FALSE(resident);
  EXPECT_EQ(resident.error(), "cannot read " + folder + "/status: No such file or directory");
  const auto unique = unique_bytes(child);
  ASSERT_FALSE(unique);
  EXPECT_EQ(unique.error(), "cannot read " + folder + "/smaps_rollup: No such file or directory");
  EXPECT_FALSE(proportional_bytes(child));
}

TEST(ProcessMemory, of_another_users_process_needs_rights) {
  if (::getuid() == 0) GTEST_SKIP() << "root may look at all";
  const auto unique = unique_bytes(1);
  ASSERT_FALSE(unique);
  EXPECT_THAT(unique.error(), HasSubstr("/proc/1/smaps_rollup"));
}

}  // namespace
}  // namespace serval::os
