#include "master/worker_memory.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

namespace serval::master {
namespace {

os::ChildExit by_signal(int number) { return {.pid = 100, .signaled = true, .code = number, .core = false}; }

TEST(MemoryVerdict, SaysWhyTheKernelKilledAWorker) {
  struct Row {
    std::string what;
    os::ChildExit exit;
    bool oom_killer_was_here;
    os::WorkerCgroups::End group;
    bool oom;
    bool above_hard;
  };
  const std::vector<Row> rows = {
      {"KILL alone may come from any process", by_signal(SIGKILL), false, {}, false, false},
      {"KILL while the machine's OOM killer worked", by_signal(SIGKILL), true, {}, true, false},
      {"its group saw the OOM killer, below its limit", by_signal(SIGKILL), false, {.killed = true}, true, false},
      {"its group was above the limit", by_signal(SIGKILL), true, {.killed = true, .over_max = true}, false, true},
      {"the group reached its limit, and reclaimed", by_signal(SIGKILL), false, {.over_max = true}, false, false},
      {"a crash is none of the OOM killer's", by_signal(SIGSEGV), true, {}, false, false},
      {"an exit code that looks like KILL", {.pid = 100, .signaled = false, .code = SIGKILL}, true, {}, false, false},
  };
  for (const Row& row : rows) {
    const MemoryVerdict verdict = memory_verdict(row.exit, row.oom_killer_was_here, row.group);
    EXPECT_EQ(verdict.oom, row.oom) << row.what;
    EXPECT_EQ(verdict.above_hard, row.above_hard) << row.what;
  }
}

TEST(WorkerMemory, WithoutCgroupsHandsNoneOver) {
  WorkerMemory memory(config::Memory{});
  memory.take_cgroups();
  memory.add(0, 0, ::getpid());
  const MemoryVerdict verdict = memory.remove(0, by_signal(SIGSEGV));
  EXPECT_FALSE(verdict.oom || verdict.above_hard);
  EXPECT_EQ(memory.record().folder, "");
}

TEST(WorkerMemory, GoesOnWithTheCgroupsThatWereTaken) {
  const CgroupsRecord record{.folder = testing::TempDir() + "no_cgroup_here", .seated = {{3, {1, 2}}}};
  WorkerMemory memory(config::Memory{});
  memory.resume(record);
  EXPECT_EQ(memory.record().folder, record.folder);
  EXPECT_EQ(memory.record().seated, record.seated);
}

}  // namespace
}  // namespace serval::master
