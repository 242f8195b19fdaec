#include "os/task_limits.hpp"

#include <gtest/gtest.h>

namespace serval::os {
namespace {

TEST(TaskLimits, the_limit_that_is_reached_is_named) {
  const TaskLimits::Cgroup free{"/c/own", 40, 39};
  const TaskLimits::Cgroup full{"/c", 100, 100};
  const std::string of_full = "pids.max of /c is 100 (TasksMax= in systemd), and 100 tasks run";
  const std::string of_free = "pids.max of /c/own is 40 (TasksMax= in systemd), and 39 tasks run";
  const std::string of_user = "the user's limit of processes is reached, 20 (ulimit -u)";
  const std::string memory = "there is no memory for it";
  const struct {
    TaskLimits limits;
    std::string why;
  } rows[] = {
      {{std::nullopt, 5000, {free, full}}, of_full},
      {{20, 5000, {free, full}}, of_full},
      {{20, 5000, {}}, of_user + ", or " + memory},
      {{20, 5000, {free}}, of_user + ", or " + of_free + ", or " + memory},
      {{std::nullopt, 5000, {}}, "kernel.threads-max is 5000, or " + memory},
      {{std::nullopt, std::nullopt, {}}, memory},
  };
  for (const auto& row : rows) EXPECT_EQ(why_no_more_tasks(row.limits), row.why);
}

TEST(TaskLimits, those_of_this_process_can_be_read) {
  const TaskLimits limits = task_limits();
  EXPECT_TRUE(limits.of_system);
  for (const auto& cgroup : limits.cgroups) EXPECT_GE(cgroup.max, 1u) << cgroup.folder;
}

}  // namespace
}  // namespace serval::os
