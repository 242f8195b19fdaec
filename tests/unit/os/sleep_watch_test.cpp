#include "os/sleep_watch.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace serval::os {
namespace {

using namespace std::chrono_literals;

TEST(SleepWatch, SaysHowLongTheThreadSlept) {
  const SleepWatch watch;
  std::this_thread::sleep_for(5ms);
  EXPECT_GE(watch.slept(), 4ms);
}

TEST(SleepWatch, ComputingIsNoSleep) {
  const SleepWatch watch;
  const auto end = std::chrono::steady_clock::now() + 5ms;
  while (std::chrono::steady_clock::now() < end) {
  }
  EXPECT_EQ(watch.slept(), 0ms);
}

TEST(SleepWatch, TheSleepOfOthersDoesNotCount) {
  std::thread other([] { std::this_thread::sleep_for(5ms); });
  const SleepWatch watch;
  const auto end = std::chrono::steady_clock::now() + 10ms;
  while (std::chrono::steady_clock::now() < end) {
  }
  EXPECT_EQ(watch.slept(), 0ms);
  other.join();
}

}  // namespace
}  // namespace serval::os
