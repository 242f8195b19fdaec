#include "app/host_tasks.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <array>

#include "app/host.hpp"
#include "base/task_name.hpp"

namespace serval::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct HostTasksTest : testing::Test {
  HostTasksTest() { open_tasks(); }
  ~HostTasksTest() override {
    open_tasks();
    close_tasks();
  }

  static std::int32_t nothing(void*, serval_job*, serval_error*) { return 0; }
  static serval_task task(std::string_view name) {
    serval_task raw{};
    raw.size = sizeof raw;
    raw.name = {name.data(), name.size()};
    raw.run = nothing;
    return raw;
  }
  static std::string why_not(const serval_task& task) {
    std::array<char, 300> why{};
    return host().task(&task, why.data(), why.size()) == 0 ? why.data() : "";
  }
};

TEST_F(HostTasksTest, AllOfItIsInTheTable) {
  EXPECT_TRUE(SERVAL_HAS(&host(), job_ready));
  EXPECT_GE(host().abi_minor, 4u);
}

TEST_F(HostTasksTest, OnesThatAreRegisteredAreFoundByTheirNames) {
  EXPECT_EQ(why_not(task("mailer")), "");
  std::string name = "db:migrate";
  EXPECT_EQ(why_not(task(name)), "");
  name = "gone";  // the text was the app's
  EXPECT_THAT(registered_tasks(), ElementsAre("mailer", "db:migrate"));
  EXPECT_NE(find_task("db:migrate"), nullptr);
  EXPECT_EQ(find_task("gone"), nullptr);
}

TEST_F(HostTasksTest, WhatIsRefusedIsNamedWithTheReason) {
  EXPECT_EQ(why_not(task("mailer")), "");
  EXPECT_EQ(why_not(task("mailer")), "task \"mailer\" cannot be registered: the app has one of that name already");
  EXPECT_THAT(why_not(task("two words")), HasSubstr("a name has 1 to 64 letters"));
  EXPECT_THAT(why_not(task("")), HasSubstr("a name has 1 to 64 letters"));
  serval_task raw = task("other");
  raw.run = nullptr;
  EXPECT_THAT(why_not(raw), HasSubstr("it has no function"));
  raw.size = 8;
  EXPECT_THAT(why_not(raw), HasSubstr("size"));
  close_tasks();
  EXPECT_THAT(why_not(task("late")), HasSubstr("only while the app preloads"));
  EXPECT_EQ(host().task(&raw, nullptr, 0), 0);  // nobody wants to know why
}

TEST_F(HostTasksTest, ThereIsALimit) {
  for (std::size_t i = 0; i < kMaxTasks; ++i) EXPECT_EQ(why_not(task("t" + std::to_string(i))), "");
  EXPECT_THAT(why_not(task("more")), HasSubstr("has 256 already"));
}

TEST_F(HostTasksTest, AJobKnowsItsArgumentsAndItsNumber) {
  serval_job job{.arguments = {"a", ""}, .instance = 3};
  EXPECT_EQ(std::string_view(host().job_argument(&job, 0).data, 1), "a");
  EXPECT_NE(host().job_argument(&job, 1).data, nullptr);
  EXPECT_EQ(host().job_argument(&job, 1).size, 0u);
  EXPECT_EQ(host().job_argument(&job, 2).data, nullptr);
  EXPECT_EQ(host().job_instance(&job), 3);
  EXPECT_EQ(host().job_stopping(&job), 0);
  host().job_ready(&job);  // nobody wants to know
}

TEST_F(HostTasksTest, ReadyIsALineInTheDescriptor) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  serval_job job{.ready_fd = ends[1]};
  host().job_ready(&job);
  char line = 0;
  EXPECT_EQ(::read(ends[0], &line, 1), 1);
  EXPECT_EQ(line, '\n');
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace serval::app
