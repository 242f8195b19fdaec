#include "os/threads.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

namespace serval::os {
namespace {

TEST(Threads, names_all_but_the_caller) {
  std::vector<std::string> all = other_threads();  // none, or those of a sanitizer
  std::promise<pid_t> running;
  std::promise<void> over;
  std::thread other([&] {
    name_thread("a name that is too long");
    running.set_value(::gettid());
    over.get_future().wait();
  });
  const pid_t tid = running.get_future().get();
  all.push_back("a name that is (" + std::to_string(tid) + ")");
  EXPECT_THAT(other_threads(), testing::IsSupersetOf(all));
  EXPECT_THAT(other_threads(), testing::Each(testing::Not(testing::HasSubstr("(" + std::to_string(::gettid()) + ")"))));
  over.set_value();
  other.join();
}

}  // namespace
}  // namespace serval::os
