#include <gmock/gmock.h>

#include <csignal>

#include "script.hpp"

// Upgrades: when serval may replace itself, and that its successor goes on as if nothing had happened.
namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

Event upgrade() { return UpgradeRequested{"USR2"}; }
Event checked() { return UpgradeChecked{true, ""}; }

Script serving(int workers = 2) {
  Script s(settings(workers));
  s.booted_at(0s);
  return s;
}

TEST(Upgrade, TheNewProgramIsCheckedFirst) {
  Script s = serving();
  s.at(10s, upgrade()).expect({"check upgrade"}).expect_line({"info: upgrade asked for", "by=USR2"});
  EXPECT_FALSE(s.may_upgrade_now());
  s.at(11s, checked()).expect();
  EXPECT_TRUE(s.may_upgrade_now());
}

TEST(Upgrade, AProgramThatFailsTheCheckChangesNothing) {
  Script s = serving();
  s.at(10s, upgrade());
  s.at(11s, UpgradeChecked{false, "exec format error"})
      .expect({"upgrade refused, exec format error"})
      .expect_line({"error: upgrade refused", "exec format"});
  EXPECT_FALSE(s.may_upgrade_now());
  EXPECT_EQ(s.next_wakeup(), Clock::duration::max());
  s.at(12s, upgrade()).expect({"check upgrade"});
}

TEST(Upgrade, AnExecThatFailsChangesNothing) {
  Script s = serving();
  s.at(10s, upgrade());
  s.at(11s, checked());
  s.at(11s, UpgradeFailed{"permission denied"}).expect({"upgrade refused, permission denied"});
  EXPECT_FALSE(s.may_upgrade_now());
}

TEST(Upgrade, OneAtATime) {
  Script s = serving();
  s.at(10s, upgrade());
  s.at(10s, upgrade()).expect();
}

TEST(Upgrade, IsRefusedBeforeTheServerServesAndWhileItStops) {
  Script s(settings(2));
  s.at(0s, Start{});
  s.at(1s, upgrade()).expect({"upgrade refused, the server is still booting"});
  Script stopping = serving();
  stopping.at(10s, StopRequested{"TERM"});
  stopping.at(10s, upgrade()).expect({"upgrade refused, the server is stopping"});
}

TEST(Upgrade, AStopComesFirst) {
  Script s = serving();
  s.at(10s, upgrade());
  s.at(11s, checked());
  const auto stop = s.at(11s, StopRequested{"TERM"});
  EXPECT_THAT(stop.actions, testing::Contains("upgrade refused, the server is stopping"));
  EXPECT_FALSE(s.may_upgrade_now());
}

TEST(Upgrade, WaitsForAWorkerThatIsBeingForked) {
  Script s = serving();
  s.at(10s, upgrade());
  s.at(10s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect({"fork worker 0"});
  s.at(11s, checked());
  EXPECT_FALSE(s.may_upgrade_now());
  s.at(11s, forked(0, 200));
  EXPECT_TRUE(s.may_upgrade_now());
}

TEST(Upgrade, WaitsForAReloadButNotForEver) {
  Script s = serving();
  s.at(10s, ReloadRequested{"HUP", {}});
  s.at(10s, upgrade());
  s.at(11s, checked());
  EXPECT_FALSE(s.may_upgrade_now());
  s.at(70s, tick()).expect_line({"no calm moment within 60s: a reload is under way"});
}

TEST(Upgrade, TheSuccessorKnowsWhatWasKnown) {
  Script s = serving(3);
  s.at(10s, killed(pid_of(1), SIGSEGV, "SIGSEGV"));
  s.at(10s, forked(1, 201));
  s.at(11s, ready(1));
  s.at(12s, ScaleRequested{+1, "TTIN"}).expect({"fork worker 3"});
  s.at(12s, forked(3));
  s.at(13s, ready(3));
  s.at(14s, RecycleRequested{0}).expect({"fork worker 4"});
  s.at(14s, forked(4));
  const State before = s.state();
  Script next(settings(3), s, 15s);
  EXPECT_EQ(next.state(), before);
  EXPECT_EQ(next.snapshot().wanted, 4);
  EXPECT_EQ(next.snapshot().ended.at(Cause::crash), 1u);
  EXPECT_EQ(why_not_ready(next.snapshot().readiness), "");
  next.at(15s, tick()).expect();
}

TEST(Upgrade, TheSuccessorIsDrainedAndPausedIfItsPredecessorWas) {
  Script s = serving(1);
  s.at(10s, DrainRequested{true, "serval drain"});
  s.at(10s, PauseRequested{true, "serval pause"}).expect({"pause worker 0 as 1"});
  s.at(10s, WorkerPaused{0, 1});
  Script next(settings(1), s, 15s);
  EXPECT_EQ(why_not_ready(next.snapshot().readiness), why_not_ready(s.snapshot().readiness));
  EXPECT_EQ(next.snapshot().in_progress, 0);
  next.at(15s, PauseRequested{false, "serval resume"}).expect({"resume worker 0"});
  next.at(16s, PauseRequested{true, "serval pause"}).expect({"pause worker 0 as 2"});
}

TEST(Upgrade, TheSuccessorFinishesWhatWasBegun) {
  Script s = serving(2);
  s.at(14s, RecycleRequested{0}).expect({"fork worker 2"});
  s.at(14s, forked(2));
  Script next(settings(2), s, 15s);
  next.at(15s, ready(2)).expect({"drain worker 0"});
  next.at(16s, exited(pid_of(0), 0)).expect();
  EXPECT_EQ(next.states(), "empty serving serving");
  next.at(20s, killed(pid_of(1), SIGKILL, "SIGKILL")).expect({"fork worker 1"});
}

TEST(Upgrade, ADrainThatTheSuccessorFindsEndsByItsDeadline) {
  Script s = serving(2);
  s.at(14s, RecycleRequested{0});
  s.at(14s, forked(2));
  s.at(15s, ready(2)).expect({"drain worker 0"});
  Script next(settings(2), s, 20s);
  next.at(20s, tick()).expect();
  EXPECT_EQ(next.next_wakeup(), 45s);
  next.at(45s, tick()).expect({"kill 100 by 9"});
}

TEST(Upgrade, AWorkerThatDiedMeanwhileIsReplaced) {
  Script s = serving(2);
  Script next(settings(2), s, 20s);
  next.at(20s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect({"fork worker 0"});
}

}  // namespace
}  // namespace serval::supervisor
