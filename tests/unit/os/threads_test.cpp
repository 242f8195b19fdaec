#include "os/threads.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <future>
#include <thread>

namespace serval::os {
namespace {

TEST(Threads, names_all_but_the_caller) {
  EXPECT_THAT(other_threads(), testing::IsEmpty());
  std::promise<pid_t> running;
  std::promise<void> over;
  std::thread other([&] {
    name_thread("a name that is too long");
    running.set_value(::gettid());
    over.get_future().wait();
  });
  const pid_t tid = running.get_future().get();
  EXPECT_THAT(other_threads(), testing::ElementsAre("a name that is (" + std::to_string(tid) + ")"));
  over.set_value();
  other.join();
}

}  // namespace
}  // namespace serval::os
