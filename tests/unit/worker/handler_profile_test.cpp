#include "worker/threads/handler_profile.hpp"

#include <gtest/gtest.h>

namespace serval::worker {
namespace {

using namespace std::chrono_literals;

TEST(HandlerProfile, NothingIsHeldAgainstAnAppAtFirst) {
  EXPECT_FALSE(HandlerProfile().use_pool());
  EXPECT_TRUE(HandlerProfile().calm());
}

TEST(HandlerProfile, AreNotCalmForAWhileAfterOneThatOverstayedOrSlept) {
  HandlerProfile overstayed, slept;
  overstayed.record_overrun();
  slept.record_sleep(1ms);
  EXPECT_FALSE(overstayed.calm() || slept.calm());
  for (int many = 0; many < 100; ++many) {
    overstayed.record_quick();
    slept.record_sleep(0ms);
  }
  EXPECT_TRUE(overstayed.calm() && slept.calm());
}

TEST(HandlerProfile, HandlersThatKeepOverstayingGoToThePoolUntilManyWereQuick) {
  HandlerProfile habits;
  habits.record_overrun();
  EXPECT_FALSE(habits.use_pool()) << "one does not change the place of all others";
  habits.record_overrun();
  habits.record_overrun();
  EXPECT_TRUE(habits.use_pool());
  for (int many = 0; many < 100; ++many) habits.record_overrun();
  for (int quick = 0; quick < 100; ++quick) habits.record_quick();
  EXPECT_FALSE(habits.use_pool());
}

TEST(HandlerProfile, TableOfSleepers) {
  struct Row {
    const char* what;
    std::chrono::nanoseconds sleep;  // of each `nth` handler, the others compute
    int nth;
    bool pool;
  };
  const Row rows[] = {
      {"none sleeps", 0us, 1, false},
      {"all sleep, but briefly", 20us, 1, false},
      {"all sleep", 200us, 1, true},
      {"half of them", 250us, 2, true},
      {"few, and for long", 100ms, 50, false},
  };
  for (const Row& row : rows) {
    HandlerProfile habits;
    int pooled = 0;
    for (int nth = 1; nth <= 1000; ++nth) {
      habits.record_sleep(nth % row.nth == 0 ? row.sleep : 0us);
      pooled += habits.use_pool() ? 1 : 0;
    }
    EXPECT_EQ(pooled > 500, row.pool) << row.what << ": " << pooled;
  }
}

TEST(HandlerProfile, OneThatSleepsForLongChangesNothing) {
  HandlerProfile habits;
  habits.record_sleep(10s);
  EXPECT_FALSE(habits.use_pool());
}

TEST(HandlerProfile, AreForgottenOnceHandlersOnlyCompute) {
  HandlerProfile habits;
  for (int nth = 0; nth < 100; ++nth) habits.record_sleep(1ms);
  EXPECT_TRUE(habits.use_pool());
  for (int nth = 0; nth < 100; ++nth) habits.record_sleep(0ms);
  EXPECT_FALSE(habits.use_pool());
}

}  // namespace
}  // namespace serval::worker
