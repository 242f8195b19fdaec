#include "supervisor/heart.hpp"

#include <gtest/gtest.h>

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using Verdict = Heart::Verdict;

constexpr TimePoint kStart{1000s};
constexpr auto kTimeout = 10s;

Heart started() {
  Heart heart;
  heart.start(kStart, std::chrono::duration_cast<Duration>(kTimeout));
  return heart;
}

/// The last beat was at the start; `cpu` is the loop thread's time.
Pulse silent(char state, Clock::duration cpu = 0s) { return {kStart, state, cpu}; }

TEST(Heart, IsLookedAtWhenItsSilenceWouldBeTooLong) {
  Heart heart = started();
  EXPECT_EQ(heart.next_look(), kStart + 10s);
  EXPECT_EQ(heart.judge({kStart + 9s, 0, 0s}, kStart + 10s), Verdict::beats);
  EXPECT_EQ(heart.next_look(), kStart + 19s);
}

TEST(Heart, WithoutATimeoutNobodyLooks) {
  Heart heart;
  heart.start(kStart, Duration::zero());
  EXPECT_EQ(heart.next_look(), TimePoint::max());
  EXPECT_EQ(heart.judge(silent('T'), kStart + 1000s), Verdict::beats);
}

TEST(Heart, WhoeverIsContinuedAfterUsIsNotHung) {
  Heart heart = started();
  EXPECT_EQ(heart.judge(silent('T'), kStart + 9s), Verdict::beats) << "its time is not over";
  EXPECT_EQ(heart.judge(silent('T'), kStart + 10s), Verdict::held_up);
  EXPECT_EQ(heart.judge({kStart + 10100ms, 'S', 0s}, kStart + 10250ms), Verdict::beats);
}

TEST(Heart, AsleepIsHungAtTheSecondLook) {
  for (const char state : {'S', 'D', 'T', '\0', 'Z'}) {
    Heart heart = started();
    EXPECT_EQ(heart.judge(silent(state), kStart + 10s), Verdict::held_up) << state;
    EXPECT_LE(heart.next_look(), kStart + 10500ms) << "the end comes within a second";
    EXPECT_EQ(heart.judge(silent(state), heart.next_look()), Verdict::hung) << state;
  }
}

TEST(Heart, AsleepWithWorkDoneInBetweenIsNotSure) {
  Heart heart = started();
  EXPECT_EQ(heart.judge(silent('S', 1s), kStart + 10s), Verdict::held_up);
  EXPECT_EQ(heart.judge(silent('S', 1010ms), heart.next_look()), Verdict::held_up);
  EXPECT_EQ(heart.judge(silent('S', 1010ms), heart.next_look()), Verdict::hung);
}

TEST(Heart, WaitingForACpuIsNeverHung) {
  Heart heart = started();
  TimePoint now = kStart + 10s;
  for (int look = 0; look < 1000; ++look) {
    ASSERT_EQ(heart.judge(silent('R', 5s), now), Verdict::held_up) << look;
    ASSERT_GT(heart.next_look(), now);
    now = heart.next_look();
  }
  EXPECT_EQ(heart.judge({now, 'R', 5s}, now), Verdict::beats) << "it got one";
}

TEST(Heart, RunningInCirclesIsHung) {
  Heart heart = started();
  EXPECT_EQ(heart.judge(silent('R', 5s), kStart + 10s), Verdict::held_up);
  EXPECT_EQ(heart.judge(silent('R', 5500ms), kStart + 11s), Verdict::held_up);
  EXPECT_EQ(heart.judge(silent('R', 6s), kStart + 12s), Verdict::hung);
}

TEST(Heart, ADebuggerMayHoldIt) {
  Heart heart = started();
  for (int second = 10; second < 600; ++second)
    ASSERT_EQ(heart.judge(silent('t'), kStart + std::chrono::seconds(second)), Verdict::held_up);
}

TEST(Heart, ForgivesWhenNobodyRan) {
  Heart heart = started();
  heart.forgive(kStart + 3600s);
  EXPECT_EQ(heart.judge(silent('S'), kStart + 3600s), Verdict::beats);
  EXPECT_EQ(heart.next_look(), kStart + 3610s);
}

TEST(Heart, BeatsOfNextYearAreNotBelieved) {
  Heart heart = started();
  EXPECT_EQ(heart.judge({kStart + 10000h, 0, 0s}, kStart + 10s), Verdict::beats);
  EXPECT_EQ(heart.next_look(), kStart + 20s);
}

}  // namespace
}  // namespace serval::supervisor
