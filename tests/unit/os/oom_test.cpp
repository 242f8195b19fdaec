#include "os/oom.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "in_child.hpp"
#include "temporary_folder.hpp"

namespace serval::os {
namespace {

constexpr const char* kEvents = "low 0\nhigh 12\nmax 40\noom 5\noom_kill 4\noom_group_kill 1\n";
constexpr const char* kOomControl = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
constexpr const char* kVmstat = "nr_free_pages 12345\noom_kill 2\nunevictable_pgs_culled 0\n";
constexpr const char* kMount2 = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
constexpr const char* kMount1 = "34 30 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

TEST(Oom, kills_are_read_from_their_own_line) {
  EXPECT_EQ(parse_oom_kills(kEvents), 4u);
  EXPECT_EQ(parse_oom_kills(kOomControl), 3u);
  EXPECT_EQ(parse_oom_kills(kVmstat), 2u);
  EXPECT_EQ(parse_oom_kills("oom_kill 18446744073709551615"), 18446744073709551615u);
  for (const char* text : {"", "oom 5\n", "oom_kill_disable 0\n", "oom_kill\n", "oom_kill \n", "oom_kill x\n",
                           "oom_kill 1x\n", "oom_kill -1\n", "x oom_kill 1\n"}) {
    EXPECT_EQ(parse_oom_kills(text), std::nullopt) << text;
  }
}

TEST(Oom, version_2_counts_in_our_own_cgroup) {
  const TemporaryFolder root;
  root.write("proc/vmstat", kVmstat);
  root.write("proc/self/mountinfo", kMount2);
  root.write("proc/self/cgroup", "0::/a/shop.service\n");
  root.write("sys/fs/cgroup/a/memory.events", "oom_kill 99\n");
  root.write("sys/fs/cgroup/a/shop.service/memory.events", kEvents);
  const OomCounter counter(root.path());
  EXPECT_EQ(counter.source(), root / "sys/fs/cgroup/a/shop.service/memory.events");
  EXPECT_EQ(counter.read(), 4u);
  root.write("sys/fs/cgroup/a/shop.service/memory.events", "oom_kill 5\n");
  EXPECT_EQ(counter.read(), 5u);
}

TEST(Oom, version_1_counts_where_version_2_has_no_memory_controller) {
  const TemporaryFolder root;
  root.write("proc/vmstat", kVmstat);
  root.write("proc/self/mountinfo",
             std::string("31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n") + kMount1);
  root.write("proc/self/cgroup", "7:memory:/docker/abc\n0::/user.slice\n");
  root.write("sys/fs/cgroup/unified/user.slice/cgroup.events", "populated 1\n");
  root.write("sys/fs/cgroup/memory/docker/abc/memory.oom_control", kOomControl);
  const OomCounter counter(root.path());
  EXPECT_EQ(counter.source(), root / "sys/fs/cgroup/memory/docker/abc/memory.oom_control");
  EXPECT_EQ(counter.read(), 3u);
}

TEST(Oom, the_machine_counts_where_our_cgroup_does_not) {
  const TemporaryFolder root;
  root.write("proc/vmstat", kVmstat);
  EXPECT_EQ(OomCounter(root.path()).source(), root / "proc/vmstat");  // no cgroups at all

  root.write("proc/self/mountinfo", kMount2);
  root.write("proc/self/cgroup", "0::/\n");  // the root cgroup has no memory.events
  root.write("sys/fs/cgroup/cgroup.procs", "1\n");
  EXPECT_EQ(OomCounter(root.path()).source(), root / "proc/vmstat");

  root.write("proc/self/mountinfo", kMount1);
  root.write("proc/self/cgroup", "7:memory:/abc\n");
  root.write("sys/fs/cgroup/memory/abc/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n");  // before Linux 4.13
  const OomCounter counter(root.path());
  EXPECT_EQ(counter.source(), root / "proc/vmstat");
  EXPECT_EQ(counter.read(), 2u);
}

TEST(Oom, nothing_counts) {
  const TemporaryFolder root;
  const OomCounter none(root.path());
  EXPECT_EQ(none.source(), "");
  EXPECT_EQ(none.read(), std::nullopt);

  root.write("proc/vmstat", kVmstat);
  const OomCounter gone(root.path());
  root.write("proc/vmstat", "nr_free_pages 1\n");
  EXPECT_EQ(gone.read(), std::nullopt);
}

TEST(Oom, on_this_machine_source_and_number_come_together) {
  const OomCounter counter;
  EXPECT_EQ(counter.source().empty(), !counter.read());
}

int oom_score_adj() {
  int score = -1;
  std::ifstream("/proc/self/oom_score_adj") >> score;
  return score;
}

TEST(Oom, the_score_rises_up_to_1000) {
  const int before = oom_score_adj();
  const auto after = [](int by) {
    return in_child([by] {
      raise_oom_score(by);
      return std::to_string(oom_score_adj());
    });
  };
  EXPECT_EQ(after(0), std::to_string(before));
  EXPECT_EQ(after(50), std::to_string(std::min(before + 50, 1000)));
  EXPECT_EQ(after(1000), std::to_string(std::min(before + 1000, 1000)));
  EXPECT_EQ(after(2'000'000'000), "1000");
  EXPECT_EQ(oom_score_adj(), before);
}

}  // namespace
}  // namespace serval::os
