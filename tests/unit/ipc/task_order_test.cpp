#include "ipc/task_order.hpp"

#include <gmock/gmock.h>

#include "os/memory_file.hpp"

namespace serval::ipc {
namespace {

TEST(TaskOrder, ComesBackAsItWent) {
  TaskOrder before;
  before.task = "db:migrate";
  before.program = "mailer";
  before.number = 3;
  before.variables = {{"SECRET", "a\nb\xff"}, {"EMPTY", ""}};
  before.working_directory = "/srv/shop";
  before.umask = 077;
  before.nice = -5;
  before.limits = {{7, 4096}, {4, ~0ULL}};
  before.stop_signal = 2;
  before.captured = before.tells_ready = true;
  before.sockets = 2;
  const auto file = write_task_order(before);
  ASSERT_TRUE(file) << file.error();
  const auto after = read_task_order(file->get());
  ASSERT_TRUE(after) << after.error();
  EXPECT_EQ(after->task, before.task);
  EXPECT_EQ(after->program, before.program);
  EXPECT_EQ(after->number, before.number);
  EXPECT_EQ(after->variables, before.variables);
  EXPECT_EQ(after->working_directory, before.working_directory);
  EXPECT_EQ(after->umask, before.umask);
  EXPECT_EQ(after->nice, before.nice);
  EXPECT_EQ(after->limits, before.limits);
  EXPECT_EQ(after->stop_signal, before.stop_signal);
  EXPECT_TRUE(after->captured && after->tells_ready);
  EXPECT_EQ(after->sockets, before.sockets);
}

TEST(TaskOrder, WhatIsNoneIsRefused) {
  for (const char* text : {"", "{}", "[1]", R"({"task":7})"}) {
    const auto file = os::make_memory_file("test", "a test", text);
    ASSERT_TRUE(file);
    const auto order = read_task_order(file->get());
    ASSERT_FALSE(order) << text;
    EXPECT_THAT(order.error(), testing::HasSubstr("the order for a task"));
  }
}

}  // namespace
}  // namespace serval::ipc
