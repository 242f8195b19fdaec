#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>

#include "script.hpp"

// What a service manager is told, and when.
namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Settings notified(int workers) {
  Settings result = settings(workers);
  result.notified = true;
  return result;
}

bool extends(const Script::Step& step) {
  return std::count(step.actions.begin(), step.actions.end(), "notify EXTEND_TIMEOUT_USEC=15000000") > 0;
}

/// How often it was extended from `from` on, waking up only when asked to, before `until`.
int extensions(Script& s, Clock::duration until) {
  int count = 0;
  while (s.next_wakeup() < until) {
    if (extends(s.at(s.next_wakeup(), tick()))) ++count;
  }
  return count;
}

// --- the watchdog

TEST(Watchdog, IsToldOfLifeAtTheLatestAfterHalfItsInterval) {
  Settings watched = settings(1);
  watched.watchdog = 10s;
  Script s(watched);
  s.at(0s, Start{}).expect({"start mold 1", "notify WATCHDOG=1"});
  s.at(1s, MoldStarted{1, kMold}).expect();
  EXPECT_EQ(s.next_wakeup(), 5s);
  s.at(5s, tick()).expect({"notify WATCHDOG=1"});
  EXPECT_EQ(s.next_wakeup(), 10s);
  s.at(12s, tick()).expect({"notify WATCHDOG=1"});  // late, and not made up for
  EXPECT_EQ(s.next_wakeup(), 17s);
}

TEST(Watchdog, WithoutOneNobodyWakesUp) {
  Script s(settings(1));
  s.booted_at(0s);
  EXPECT_EQ(s.next_wakeup(), Clock::duration::max());
}

TEST(Watchdog, IsToldUntilTheEnd) {
  Settings watched = settings(1);
  watched.watchdog = 2s;
  Script s(watched);
  s.booted_at(0s);
  s.at(1s, StopRequested{"TERM"})
      .expect({"notify STOPPING=1", "refuse", "stop worker 0", "stop mold 1", "notify WATCHDOG=1"});
  s.at(2s, tick()).expect({"notify WATCHDOG=1"});
  s.at(2s, exited(kMold, 0));
  s.at(2s, exited(pid_of(0), 0)).expect({"finish 0"});
  EXPECT_EQ(s.next_wakeup(), Clock::duration::max());
}

// --- more time

TEST(MoreTime, IsAskedForWhileTheAppLoadsAndBoots) {
  Script s(notified(1));
  EXPECT_TRUE(extends(s.at(0s, Start{})));
  s.at(0s, MoldStarted{1, kMold});
  EXPECT_EQ(extensions(s, 50s), 9) << "each 5 s";
  s.at(50s, MoldLoaded{1});
  s.at(50s, forked(0));
  EXPECT_EQ(extensions(s, 100s), 9);
  EXPECT_FALSE(extends(s.at(100s, ready(0))));
  EXPECT_EQ(extensions(s, 1h), 0);
}

TEST(MoreTime, IsNotAskedForWhenTheBootTimeoutHasPassed) {
  Settings one_fails = notified(2);
  Script s(one_fails);
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(10s, MoldLoaded{1});
  s.at(10s, forked(0));
  s.at(10s, forked(1));
  s.at(11s, ready(0));
  int count = 0;
  for (Clock::duration at = 12s; at < 10min; at += 1s) {  // the other one tries all the time
    if (extends(s.at(at, exited(pid_of(1), 1)))) ++count;
    s.at(at, forked(1));
    if (at >= 75s) {
      EXPECT_EQ(count, 11);
    }
  }
}

TEST(MoreTime, IsAskedForDuringAReload) {
  Script s(notified(1));
  s.booted_at(0s);
  EXPECT_TRUE(extends(s.at(10s, ReloadRequested{"HUP", {}})));
  s.at(10s, MoldStarted{2, 51});
  EXPECT_EQ(extensions(s, 40s), 5);
  s.at(40s, MoldLoaded{2});
  s.at(40s, forked(1));
  EXPECT_EQ(extensions(s, 60s), 3);
  s.at(60s, ready(1));
  EXPECT_EQ(extensions(s, 80s), 0) << "the old worker may drain, the new one serves";
}

TEST(MoreTime, IsAskedForWhileAStopDrains) {
  Script s(notified(1));
  s.booted_at(0s);
  EXPECT_TRUE(extends(s.at(10s, StopRequested{"TERM"})));
  EXPECT_EQ(extensions(s, 40s), 5);
  s.at(40s, tick());  // the grace is over
  EXPECT_EQ(extensions(s, 1h), 0);
}

TEST(MoreTime, IsNotAskedForIfNobodyListens) {
  Script s(settings(1));
  EXPECT_FALSE(extends(s.at(0s, Start{})));
}

TEST(MoreTime, IsAskedForDuringTheDelayOfAStop) {
  Settings delayed = notified(1);
  delayed.delay = 20s;
  Script s(delayed);
  s.booted_at(0s);
  const auto begun = s.at(10s, StopRequested{"TERM"});
  EXPECT_THAT(begun.actions,
              ElementsAre("notify STOPPING=1\nSTATUS=1 of 1 workers serve, generation 1; not ready: stopping",
                          "notify EXTEND_TIMEOUT_USEC=15000000"));
  EXPECT_EQ(extensions(s, 30s), 3);
}

// --- the status

TEST(Status, ComesWithEachChangeOfState) {
  Script s(notified(2));
  EXPECT_THAT(s.at(0s, Start{}).actions, Contains("notify STATUS=loading the app"));
  s.at(0s, MoldStarted{1, kMold});
  s.at(9s, MoldLoaded{1});
  s.at(9s, forked(0));
  s.at(9s, forked(1));
  EXPECT_THAT(s.at(19s, ready(0)).actions, Contains("notify STATUS=1 of 2 workers serve, generation 1"));
  EXPECT_THAT(s.at(19s, ready(1)).actions, Contains("notify READY=1\nSTATUS=2 of 2 workers serve, generation 1"));
  EXPECT_THAT(s.at(29s, ReloadRequested{"HUP", {}}).actions,
              Contains("notify RELOADING=1\nMONOTONIC_USEC=29000000\nSTATUS=2 of 2 workers serve, generation 1; "
                       "reloading: loading generation 2"));
  s.at(29s, MoldStarted{2, 51});
  EXPECT_THAT(s.at(39s, MoldLoaded{2}).actions,
              Contains(HasSubstr("reloading: the first worker of generation 2 boots")));
  s.at(39s, forked(2));
  EXPECT_THAT(s.at(49s, ready(2)).actions,
              Contains(HasSubstr("generation 2; reloading: workers of generation 2 take over")));
  s.at(49s, left(0));
  s.at(49s, forked(3));
  s.at(59s, ready(3));
  EXPECT_THAT(s.at(59s, left(1)).actions, Contains("notify READY=1\nSTATUS=2 of 2 workers serve, generation 2"));
  EXPECT_THAT(s.at(69s, StopRequested{"TERM"}).actions, Contains(HasSubstr("notify STOPPING=1\nSTATUS=stopping")));
}

TEST(Status, IsSaidAtMostOnceASecondAndOnlyWhenItChanges) {
  Script s(notified(3));
  s.booted_at(0s);
  EXPECT_EQ(s.next_wakeup(), Clock::duration::max());
  EXPECT_THAT(s.at(10s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).actions,
              Contains("notify STATUS=2 of 3 workers serve, generation 1"));
  EXPECT_THAT(s.at(10s, killed(pid_of(1), SIGSEGV, "SIGSEGV")).actions, Not(Contains(HasSubstr("STATUS"))));
  EXPECT_EQ(s.next_wakeup(), 11s);
  s.at(11s, tick()).expect({"notify STATUS=1 of 3 workers serve, generation 1"});
  EXPECT_EQ(s.next_wakeup(), 70s) << "the boot timeout, nothing else";
  s.at(12s, tick()).expect();
}

TEST(Status, TellsWhyTheLastReloadFailedUntilTheNextOne) {
  Script s(notified(1));
  s.booted_at(0s);
  s.at(10s, ReloadRequested{"HUP", {}});
  s.at(10s, MoldStarted{2, 51});
  s.at(11s, MoldLoadFailed{2, "undefined symbol: \xff shop\n  hint: link it"});
  EXPECT_THAT(s.at(11s, exited(51, 1)).actions, Contains("notify READY=1\nSTATUS=1 of 1 workers serve, generation 1; "
                                                         "the last reload failed: undefined symbol: \\xff shop"));
  s.at(20s, killed(pid_of(0), SIGSEGV, "SIGSEGV"));
  s.at(20s, forked(0));
  EXPECT_THAT(s.at(30s, ready(0)).actions,
              Contains(HasSubstr("STATUS=1 of 1 workers serve, generation 1; the last reload failed: undefined")));
  s.at(40s, ReloadRequested{"HUP", {}});
  s.at(40s, MoldStarted{3, 52});
  s.at(40s, MoldLoaded{3});
  s.at(40s, forked(1));
  s.at(41s, ready(1));
  EXPECT_THAT(s.at(41s, left(0)).actions, Contains("notify READY=1\nSTATUS=1 of 1 workers serve, generation 3"));
}

TEST(Status, AReloadThatCannotBeginHasABeginningAndAnEndForWhoeverWaits) {
  Script s(notified(1));
  s.booted_at(0s);
  s.at(10s, ReloadRefused{"no such key"})
      .expect({"notify RELOADING=1\nMONOTONIC_USEC=10000000\nSTATUS=1 of 1 workers serve, generation 1; the last "
               "reload failed: no such key",
               "notify READY=1\nSTATUS=1 of 1 workers serve, generation 1; the last reload failed: no such key"});
}

TEST(Status, SaysThatNobodyServesAndWhoCrashesOverAndOver) {
  Script s(notified(1));
  s.booted_at(0s);
  EXPECT_THAT(s.at(10s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).actions,
              Contains("notify STATUS=0 of 1 workers serve, generation 1; not ready: no worker serves"));
  s.at(10s, forked(0));
  EXPECT_THAT(s.at(20s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).actions,
              Contains("notify STATUS=0 of 1 workers serve, generation 1; not ready: no worker serves; 1 worker "
                       "crashes over and over"));
}

}  // namespace
}  // namespace serval::supervisor
