#include "os/cgroup.hpp"

#include <cstdint>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/cpus.hpp"
#include "os/memory.hpp"
#include "temporary_folder.hpp"

namespace serval::os {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kUnified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* kHybrid =
    "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
    "31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
    "33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 30 0:30 / /sys/fs/cgroup/memory rw shared:12 - cgroup cgroup rw,memory\n";
constexpr const char* kHybridOwn = "7:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/user.slice\n";

TEST(Cgroup, own_path) {
  EXPECT_EQ(own_cgroup("0::/system.slice/shop.service\n", CgroupVersion::v2, "cpu"), "/system.slice/shop.service");
  EXPECT_EQ(own_cgroup(kHybridOwn, CgroupVersion::v1, "cpu"), "/docker/abc");
  EXPECT_EQ(own_cgroup(kHybridOwn, CgroupVersion::v2, "cpu"), "/user.slice");
  EXPECT_EQ(own_cgroup("5:cpuset:/x\n", CgroupVersion::v1, "cpu"), std::nullopt);
  EXPECT_EQ(own_cgroup("4:cpu:/with:colon\n", CgroupVersion::v1, "cpu"), "/with:colon");
  EXPECT_EQ(own_cgroup("", CgroupVersion::v2, "cpu"), std::nullopt);
}

TEST(Cgroup, mounts) {
  EXPECT_EQ(cgroup_mount(kUnified, CgroupVersion::v2, "cpu")->point, "/sys/fs/cgroup");
  EXPECT_FALSE(cgroup_mount(kUnified, CgroupVersion::v1, "cpu"));
  EXPECT_EQ(cgroup_mount(kHybrid, CgroupVersion::v1, "cpu")->point, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(cgroup_mount(kHybrid, CgroupVersion::v1, "memory")->point, "/sys/fs/cgroup/memory");
  EXPECT_EQ(cgroup_mount(kHybrid, CgroupVersion::v2, "")->point, "/sys/fs/cgroup/unified");
  const auto odd = cgroup_mount("30 23 0:26 /a\\040b /my\\134cgroup rw - cgroup2 none rw\n", CgroupVersion::v2, "");
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->root, "/a b");
  EXPECT_EQ(odd->point, "/my\\cgroup");
}

TEST(Cgroup, folders_go_up_to_the_mounts_root) {
  const TemporaryFolder root;
  root.write("proc/self/mountinfo", kUnified);
  root.write("proc/self/cgroup", "0::/system.slice/shop.service\n");
  root.write("sys/fs/cgroup/system.slice/shop.service/cpu.max", "max 100000\n");
  const std::string top = root / "sys/fs/cgroup";
  EXPECT_THAT(cgroup_folders(CgroupVersion::v2, "cpu", root.path()),
              ElementsAre(top + "/system.slice/shop.service", top + "/system.slice", top));
  EXPECT_THAT(cgroup_folders(CgroupVersion::v1, "cpu", root.path()), IsEmpty());
}

TEST(Cgroup, in_a_container_the_mounts_root_is_the_own_cgroup) {
  const TemporaryFolder root;
  root.write("proc/self/mountinfo", "33 30 0:29 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  root.write("sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us", "-1\n");
  const std::string top = root / "sys/fs/cgroup/cpu";
  root.write("proc/self/cgroup", "4:cpu:/docker/abc\n");
  EXPECT_THAT(cgroup_folders(CgroupVersion::v1, "cpu", root.path()), ElementsAre(top));
  root.write("proc/self/cgroup", "4:cpu:/docker/abc/inner\n");
  EXPECT_THAT(cgroup_folders(CgroupVersion::v1, "cpu", root.path()), ElementsAre(top + "/inner", top));
  root.write("proc/self/cgroup", "4:cpu:/docker/abcdef\n");  // another one, whose name merely begins alike
  EXPECT_THAT(cgroup_folders(CgroupVersion::v1, "cpu", root.path()), ElementsAre(top));
  root.write("proc/self/cgroup", "4:cpu:/../..\n");  // outside of the cgroup namespace's root
  EXPECT_THAT(cgroup_folders(CgroupVersion::v1, "cpu", root.path()), ElementsAre(top));
  root.write("proc/self/cgroup", "4:cpu:/docker/abc/not/here\n");
  EXPECT_THAT(cgroup_folders(CgroupVersion::v1, "cpu", root.path()), ElementsAre(top));
}

TEST(Cgroup, nothing_is_found_without_proc) {
  const TemporaryFolder root;
  EXPECT_THAT(cgroup_folders(CgroupVersion::v2, "cpu", root.path()), IsEmpty());
  EXPECT_EQ(cgroup_memory_limit(root.path()), std::nullopt);
}

TEST(Cpus, quotas) {
  EXPECT_EQ(parse_cpu_max("150000 100000\n"), 1.5);
  EXPECT_EQ(parse_cpu_max("max 100000\n"), std::nullopt);
  EXPECT_EQ(parse_cpu_max("150000"), std::nullopt);
  EXPECT_EQ(parse_cpu_max("150000 0"), std::nullopt);
  EXPECT_EQ(parse_cpu_max(""), std::nullopt);
  EXPECT_EQ(parse_cfs("50000\n", "100000\n"), 0.5);
  EXPECT_EQ(parse_cfs("-1\n", "100000\n"), std::nullopt);
  EXPECT_EQ(parse_cfs("", ""), std::nullopt);
}

struct Decision {
  int present;
  int affine;
  std::optional<double> quota;
  int usable;
  const char* why;
};

TEST(Cpus, decision) {
  for (const Decision& one :
       {Decision{8, 8, {}, 8, "8 CPUs"}, Decision{1, 1, {}, 1, "1 CPU"},
        Decision{8, 2, {}, 2, "2 of 8 CPUs by affinity"}, Decision{8, 8, 1.5, 2, "2 of 8 CPUs by cgroup quota 1.5"},
        Decision{8, 8, 0.5, 1, "1 of 8 CPUs by cgroup quota 0.5"},
        Decision{8, 8, 2.0, 2, "2 of 8 CPUs by cgroup quota 2"}, Decision{8, 2, 4.0, 2, "2 of 8 CPUs by affinity"},
        Decision{8, 4, 2.0, 2, "2 of 8 CPUs by cgroup quota 2"}, Decision{8, 8, 16.0, 8, "8 CPUs"},
        Decision{1, 1, 0.25, 1, "1 of 1 CPUs by cgroup quota 0.25"},
        Decision{2, 2, 1.999, 2, "2 of 2 CPUs by cgroup quota 2"}, Decision{0, 0, {}, 1, "1 CPU"}}) {
    const Cpus cpus = decide_cpus(one.present, one.affine, one.quota);
    EXPECT_EQ(cpus.usable, one.usable) << one.why;
    EXPECT_EQ(cpus.why, one.why);
  }
}

TEST(Cpus, the_smallest_quota_on_the_way_up_counts) {
  const TemporaryFolder root;
  root.write("proc/self/mountinfo", kUnified);
  root.write("proc/self/cgroup", "0::/a/b\n");
  root.write("sys/fs/cgroup/a/b/cpu.max", "90000 100000\n");
  root.write("sys/fs/cgroup/a/cpu.max", "25000 100000\n");
  const Cpus cpus = usable_cpus(root.path());
  EXPECT_EQ(cpus.usable, 1);
  EXPECT_THAT(cpus.why, testing::EndsWith("by cgroup quota 0.25"));
}

TEST(Cpus, version_1) {
  const TemporaryFolder root;
  root.write("proc/self/mountinfo", kHybrid);
  root.write("proc/self/cgroup", kHybridOwn);
  root.write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "50000\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n");
  EXPECT_THAT(usable_cpus(root.path()).why, testing::EndsWith("by cgroup quota 0.5"));
}

TEST(Cpus, without_cgroups_the_affinity_counts) {
  const TemporaryFolder root;
  const int before = usable_cpus(root.path()).usable;
  EXPECT_GE(before, 1);
  EXPECT_GE(usable_cpus().usable, 1);
  EXPECT_LE(usable_cpus().usable, before);
}

TEST(Memory, limits) {
  EXPECT_EQ(parse_memory_max("536870912\n"), 536870912u);
  EXPECT_EQ(parse_memory_max("max\n"), std::nullopt);
  EXPECT_EQ(parse_memory_max("9223372036854771712\n"), std::nullopt);  // LONG_MAX rounded down to 4 KiB
  EXPECT_EQ(parse_memory_max("9223372036854710272\n"), std::nullopt);  // to 64 KiB
  EXPECT_EQ(parse_memory_max(""), std::nullopt);
  EXPECT_EQ(parse_memory_max("12x"), std::nullopt);
}

TEST(Memory, the_smallest_limit_on_the_way_up_counts) {
  const TemporaryFolder root;
  root.write("proc/self/mountinfo", kUnified);
  root.write("proc/self/cgroup", "0::/a/b\n");
  root.write("sys/fs/cgroup/a/b/memory.max", "max\n");
  root.write("sys/fs/cgroup/a/memory.max", "1048576\n");
  EXPECT_EQ(cgroup_memory_limit(root.path()), 1048576u);
  EXPECT_EQ(memory_limit(root.path()), 1048576u);
}

TEST(Memory, version_1) {
  const TemporaryFolder root;
  root.write("proc/self/mountinfo", kHybrid);
  root.write("proc/self/cgroup", kHybridOwn);
  root.write("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "2097152\n");
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(cgroup_memory_limit(root.path()), 2097152u);
}

TEST(Memory, without_cgroups_the_machines_memory_counts) {
  const TemporaryFolder root;
  ASSERT_TRUE(memory_limit(root.path()));
  EXPECT_GT(*memory_limit(root.path()), std::uint64_t{16} << 20);
  EXPECT_LE(*memory_limit(), *memory_limit(root.path()));
}

TEST(NumberOf, reads_its_own_line) {
  EXPECT_EQ(number_of("a 1\nab 2\n", "a"), 1u);
  EXPECT_EQ(number_of("a 1\nab 2\n", "ab"), 2u);
  for (const char* text : {"", "a", "a ", "a x", "a 1x", "b 1", "xa 1"}) {
    EXPECT_EQ(number_of(text, "a"), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace serval::os
