#include "os/worker_cgroups.hpp"

#include <gtest/gtest.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "temporary_folder.hpp"

namespace serval::os {
namespace {

/// A folder that looks like a delegated cgroup. The files that a kernel would make in new groups are made by hand.
struct WorkerCgroupsTest : testing::Test {
  void SetUp() override {
    root.write("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    root.write("proc/self/cgroup", "0::/shop.service\n");
    root.write("sys/fs/cgroup/shop.service/cgroup.controllers", "cpu memory pids\n");
    root.write("sys/fs/cgroup/shop.service/cgroup.subtree_control", "");
    root.write("sys/fs/cgroup/shop.service/cgroup.procs", "");
    root.write("sys/fs/cgroup/shop.service/serval/cgroup.procs", "");
    root.write("sys/fs/cgroup/shop.service/worker-3/cgroup.procs", "");
    root.write("sys/fs/cgroup/shop.service/worker-3/memory.max", "");
    events(0, 0);
  }
  void delegate() {
    const std::string folder = root / "sys/fs/cgroup/shop.service";
    if (::setxattr(folder.c_str(), "user.delegate", "1", 1, 0) != 0) GTEST_SKIP() << "no extended attributes here";
  }
  void events(int oom, int kills) {
    root.write("sys/fs/cgroup/shop.service/worker-3/memory.events", "low 0\nhigh 0\nmax 9\noom " + std::to_string(oom) +
                                                                        "\noom_kill " + std::to_string(kills) +
                                                                        "\noom_group_kill 0\n");
  }
  std::string content(const std::string& name) {
    std::ifstream file(root / ("sys/fs/cgroup/shop.service/" + name));
    std::string line;
    std::getline(file, line);
    return line;
  }

  TemporaryFolder root;
};

TEST_F(WorkerCgroupsTest, somebody_elses_tree_is_left_alone) {
  const auto taken = WorkerCgroups::take(1000, root.path());
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().find("not delegated"), std::string::npos);
  EXPECT_EQ(content("serval/cgroup.procs"), "");
}

TEST_F(WorkerCgroupsTest, we_move_out_of_the_way_and_workers_are_limited) {
  delegate();
  if (IsSkipped()) return;
  auto taken = WorkerCgroups::take(1000, root.path());
  ASSERT_TRUE(taken) << taken.error();
  EXPECT_EQ(content("serval/cgroup.procs"), std::to_string(::getpid()));
  EXPECT_EQ(content("cgroup.subtree_control"), "+memory");
  ASSERT_TRUE(taken->seat(3, 4711));
  EXPECT_EQ(content("worker-3/memory.max"), "1000");
  EXPECT_EQ(content("worker-3/cgroup.procs"), "4711");
  taken->limit(0);
  ASSERT_TRUE(taken->seat(3, 4712));
  EXPECT_EQ(content("worker-3/memory.max").substr(0, 3), "max");
}

TEST_F(WorkerCgroupsTest, the_group_says_how_its_worker_ended) {
  delegate();
  if (IsSkipped()) return;
  events(2, 1);  // of an earlier one
  auto taken = WorkerCgroups::take(1000, root.path());
  ASSERT_TRUE(taken) << taken.error();
  ASSERT_TRUE(taken->seat(3, 4711));
  EXPECT_FALSE(taken->leave(3).killed);
  ASSERT_TRUE(taken->seat(3, 4711));
  events(3, 2);
  const auto end = taken->leave(3);
  EXPECT_TRUE(end.killed);
  EXPECT_TRUE(end.over_max);
  EXPECT_FALSE(taken->leave(3).killed) << "told once";
  ASSERT_TRUE(taken->seat(3, 4711));
  events(3, 3);
  EXPECT_TRUE(taken->leave(3).killed);
}

TEST_F(WorkerCgroupsTest, without_the_controller_nothing_is_changed) {
  delegate();
  if (IsSkipped()) return;
  root.write("sys/fs/cgroup/shop.service/cgroup.controllers", "cpu pids\n");
  const auto taken = WorkerCgroups::take(1000, root.path());
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().find("memory controller"), std::string::npos);
  EXPECT_EQ(content("serval/cgroup.procs"), "");
}

}  // namespace
}  // namespace serval::os
