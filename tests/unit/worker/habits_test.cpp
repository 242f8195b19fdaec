#include "worker/habits.hpp"

#include <gtest/gtest.h>

namespace serval::worker {
namespace {

using namespace std::chrono_literals;

TEST(Habits, NothingIsHeldAgainstAnAppAtFirst) {
  EXPECT_FALSE(Habits().prefer_pool());
  EXPECT_TRUE(Habits().calm());
}

TEST(Habits, AreNotCalmForAWhileAfterOneThatOverstayedOrSlept) {
  Habits overstayed, slept;
  overstayed.overstayed();
  slept.slept(1ms);
  EXPECT_FALSE(overstayed.calm() || slept.calm());
  for (int many = 0; many < 100; ++many) {
    overstayed.was_quick();
    slept.slept(0ms);
  }
  EXPECT_TRUE(overstayed.calm() && slept.calm());
}

TEST(Habits, HandlersThatKeepOverstayingGoToThePoolUntilManyWereQuick) {
  Habits habits;
  habits.overstayed();
  EXPECT_FALSE(habits.prefer_pool()) << "one does not change the place of all others";
  habits.overstayed();
  habits.overstayed();
  EXPECT_TRUE(habits.prefer_pool());
  for (int many = 0; many < 100; ++many) habits.overstayed();
  for (int quick = 0; quick < 100; ++quick) habits.was_quick();
  EXPECT_FALSE(habits.prefer_pool());
}

TEST(Habits, TableOfSleepers) {
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
    Habits habits;
    int pooled = 0;
    for (int nth = 1; nth <= 1000; ++nth) {
      habits.slept(nth % row.nth == 0 ? row.sleep : 0us);
      pooled += habits.prefer_pool() ? 1 : 0;
    }
    EXPECT_EQ(pooled > 500, row.pool) << row.what << ": " << pooled;
  }
}

TEST(Habits, OneThatSleepsForLongChangesNothing) {
  Habits habits;
  habits.slept(10s);
  EXPECT_FALSE(habits.prefer_pool());
}

TEST(Habits, AreForgottenOnceHandlersOnlyCompute) {
  Habits habits;
  for (int nth = 0; nth < 100; ++nth) habits.slept(1ms);
  EXPECT_TRUE(habits.prefer_pool());
  for (int nth = 0; nth < 100; ++nth) habits.slept(0ms);
  EXPECT_FALSE(habits.prefer_pool());
}

}  // namespace
}  // namespace serval::worker
