#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>

#include "script.hpp"

// Reloads: what happens to the old generation when, and what becomes of one that fails.
namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr pid_t kNewMold = 51;

Event reload() { return ReloadRequested{"HUP", {}}; }

/// Two workers of generation 1 serve, and the first of generation 2 has been forked.
Script with_canary(const Settings& base = settings(2)) {
  Script s(base);
  s.booted_at(0s);
  s.at(10s, reload());
  s.at(10s, MoldStarted{2, kNewMold});
  s.at(11s, MoldLoaded{2});
  s.at(11s, forked(2));
  return s;
}

TEST(Rollout, TheNewGenerationLoadsAndBootsOneWorkerBeforeAnybodyLeaves) {
  Script s(settings(2));
  s.booted_at(0s);
  const auto begun = s.at(10s, reload());
  begun.expect_line({"info: reloading", "from_gen=1", "to_gen=2", "by=HUP"});
  EXPECT_THAT(begun.actions, ElementsAre("notify RELOADING=1\nMONOTONIC_USEC=10000000", "start mold 2"));
  s.at(10s, MoldStarted{2, kNewMold}).expect();
  s.at(11s, MoldLoaded{2}).expect({"fork worker 2 of 2"});
  s.at(11s, forked(2)).expect();
  const auto ready_step = s.at(12s, ready(2));
  ready_step.expect({"drain worker 0", "fork worker 3 of 2"});
  EXPECT_EQ(s.states(), "draining serving serving starting");
}

TEST(Rollout, ALargeFleetHasALineForEachQuarterInsteadOfEachWorker) {
  constexpr int kWorkers = 12;
  Script s(settings(kWorkers));
  s.booted_at(0s);
  std::vector<std::string> lines;
  const auto at = [&](Clock::duration time, const Event& event) {
    auto step = s.at(time, event);
    for (std::string& line : step.lines) {
      if (!line.starts_with("debug: ")) lines.push_back(std::move(line));
    }
  };
  at(10s, reload());
  at(10s, MoldStarted{2, kNewMold});
  at(11s, MoldLoaded{2});
  for (int i = 0; i < kWorkers; ++i) {
    at(11s, forked(kWorkers + i));
    at(12s, ready(kWorkers + i));
    at(12s, left(i));
  }
  for (int i = 0; i < kWorkers; ++i) at(13s, exited(pid_of(i), 0));
  EXPECT_THAT(
      lines,
      ElementsAre(HasSubstr("reloading"), HasSubstr("app loaded"), HasSubstr("first worker of the new generation"),
                  HasSubstr("reload goes on gen=2 serving=3 of=12"), HasSubstr("reload goes on gen=2 serving=6 of=12"),
                  HasSubstr("reload goes on gen=2 serving=9 of=12"), HasSubstr("reloaded gen=2")));
}

TEST(Rollout, EachOldWorkerGoesWhenItsSuccessorServesThenTheOldMold) {
  Script s = with_canary();
  s.at(12s, ready(2)).expect({"drain worker 0", "fork worker 3 of 2"});
  s.at(12s, exited(pid_of(0), 0)).expect();
  s.at(12s, forked(3));
  s.at(13s, ready(3)).expect({"retire listeners", "drain worker 1"});
  EXPECT_THAT(s.at(13s, left(1)).actions,
              ElementsAre(HasSubstr("notify READY=1"), "reload done, generation 2", "stop mold 1"));
  s.at(13s, exited(kMold, 0)).expect();
  s.at(14s, exited(pid_of(1), 0)).expect();
  EXPECT_EQ(s.states(), "empty empty serving serving");
  EXPECT_EQ(s.snapshot().generation, 2);
  EXPECT_EQ(s.snapshot().ended.at(Cause::reload), 2u);
  EXPECT_EQ(s.next_wakeup(), Clock::duration::max());
}

/// Threads that cannot be made, a database that turns its first query down: ready, and dead some milliseconds later.
TEST(Rollout, ACanaryThatDiesAsSoonAsItIsReadyCostsNobody) {
  Settings careful = settings(2);
  careful.probation = 500ms;
  Script s = with_canary(careful);
  s.at(12s, ready(2)).expect();
  EXPECT_EQ(s.next_wakeup(), 12500ms);
  const auto failed = s.at(12010ms, killed(pid_of(2), SIGABRT, "SIGABRT"));
  EXPECT_THAT(
      failed.actions,
      ElementsAre("notify READY=1", "reload failed: its first worker died: SIGABRT, generation 1", "stop mold 2"));
  EXPECT_EQ(s.states(), "serving serving empty");
}

TEST(Rollout, TheLastOldWorkerStaysUntilAllNewOnesHaveProvedThemselves) {
  Settings careful = settings(2);
  careful.probation = 500ms;
  Script s = with_canary(careful);
  s.at(12s, ready(2)).expect();
  s.at(12499ms, tick()).expect();
  s.at(12500ms, tick()).expect({"drain worker 0", "fork worker 3 of 2"});
  s.at(12500ms, exited(pid_of(0), 0));
  s.at(12500ms, forked(3));
  s.at(13s, ready(3)).expect();
  EXPECT_EQ(s.next_wakeup(), 13500ms);
  const auto dead = s.at(13100ms, killed(pid_of(3), SIGABRT, "SIGABRT"));
  EXPECT_THAT(dead.actions, Contains(HasSubstr("reload failed: its workers die, generation 1")));
  EXPECT_EQ(s.snapshot().generation, 1);
  Script good = with_canary(careful);
  good.at(12s, ready(2));
  good.at(13s, tick()).expect({"drain worker 0", "fork worker 3 of 2"});
  good.at(13s, forked(3));
  good.at(13s, ready(3)).expect();
  good.at(13500ms, tick()).expect({"retire listeners", "drain worker 1"});
}

TEST(Rollout, SurgeStartsMoreAtATime) {
  Settings fast = settings(4);
  fast.reload.surge = 3;
  Script s(fast);
  s.booted_at(0s);
  s.at(10s, reload());
  s.at(10s, MoldStarted{2, kNewMold});
  s.at(10s, MoldLoaded{2}).expect({"fork worker 4 of 2"});
  s.at(10s, forked(4));
  const auto step = s.at(11s, ready(4));
  step.expect({"drain worker 0", "fork worker 5 of 2", "fork worker 6 of 2", "fork worker 7 of 2"});
}

TEST(Rollout, AMoldThatDoesNotLoadLeavesTheOldGenerationAsItIs) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(10s, reload());
  s.at(10s, MoldStarted{2, kNewMold});
  s.at(11s, MoldLoadFailed{2, "undefined symbol: shop"});
  const auto failed = s.at(11s, exited(kNewMold, 1));
  EXPECT_THAT(failed.actions, ElementsAre("notify READY=1", "reload failed: undefined symbol: shop, generation 1"));
  EXPECT_THAT(failed.lines,
              ElementsAre(HasSubstr("error: reload failed, the old generation goes on gen=1 why=undefined symbol")));
  EXPECT_EQ(s.states(), "serving serving");
  s.at(12s, killed(pid_of(0), SIGKILL, "SIGKILL")).expect({"fork worker 0"});
}

TEST(Rollout, ACanaryThatDoesNotBootLeavesTheOldGenerationAsItIs) {
  Script s = with_canary();
  s.at(12s, WorkerBootFailed{2, "no database"});
  const auto failed = s.at(12s, exited(pid_of(2), 1));
  EXPECT_THAT(failed.actions, ElementsAre("notify READY=1", "reload failed: no database, generation 1", "stop mold 2"));
  EXPECT_EQ(s.states(), "serving serving empty");
}

TEST(Rollout, ACanaryThatIsNeverReadyIsKilledAtReadyTimeout) {
  Script s = with_canary();
  EXPECT_EQ(s.next_wakeup(), 71s);
  s.at(71s, tick()).expect({"kill 102 by 9"}).expect_line({"reload.ready_timeout"});
  EXPECT_THAT(s.at(71s, killed(pid_of(2), SIGKILL, "SIGKILL")).actions,
              Contains(HasSubstr("reload failed: not ready within")));
  EXPECT_EQ(s.states(), "serving serving empty");
}

TEST(Rollout, OneThatIsRolledBackLeavesNoGapInTheNumbers) {
  Script s(settings(4));
  s.booted_at(0s);
  s.at(10s, ReloadRequested{"HUP", settings(2)});
  s.at(10s, MoldStarted{2, kNewMold});
  s.at(11s, MoldLoaded{2});
  s.at(11s, forked(4));
  s.at(12s, ready(4)).expect({"drain worker 0", "drain worker 3"});
  s.at(13s, killed(pid_of(4), SIGSEGV, "SIGSEGV"));
  EXPECT_EQ(s.snapshot().generation, 1);
  s.at(14s, tick());
  std::vector<int> numbers;
  for (const auto& worker : s.snapshot().workers) {
    if (worker.state != SlotState::draining) numbers.push_back(worker.slot);
    const bool due = worker.state == SlotState::serving && worker.cause != Cause::none;
    EXPECT_FALSE(due) << worker.slot;
  }
  EXPECT_THAT(numbers, testing::UnorderedElementsAre(0, 1, 2, 3));
}

TEST(Rollout, AGenerationKeepsTheTimesThatItBrings) {
  Settings next = settings(2);
  next.limits.boot_timeout = 5s;
  next.reload.ready_timeout = 2s;
  Script s(settings(2));
  s.booted_at(0s);
  s.at(10s, ReloadRequested{"HUP", next});
  s.at(10s, MoldStarted{2, kNewMold});
  EXPECT_EQ(s.next_wakeup(), 15s);
  s.at(11s, MoldLoaded{2});
  s.at(11s, forked(2));
  EXPECT_EQ(s.next_wakeup(), 13s);
  s.at(13s, tick()).expect({"kill 102 by 9"}).expect_line({"not ready within 2s (reload.ready_timeout)"});
}

TEST(Rollout, AMoldThatDoesNotForkIsKilledAtReadyTimeoutAndThatIsTheReason) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(10s, reload());
  s.at(10s, MoldStarted{2, kNewMold});
  s.at(11s, MoldLoaded{2}).expect({"fork worker 2 of 2"});
  EXPECT_THAT(s.at(71s, tick()).actions, Contains("kill 51 by 9"));
  EXPECT_THAT(
      s.at(71s, killed(kNewMold, SIGKILL, "SIGKILL")).actions,
      Contains(HasSubstr("reload failed: it did not fork a worker: not ready within 60s (reload.ready_timeout)")));
}

TEST(Rollout, AMoldThatHangsIsKilledAndTheNextReloadMayBeBetter) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(10s, reload());
  s.at(10s, MoldStarted{2, kNewMold});
  s.at(70s, tick()).expect({"kill 51 by 9"});
  EXPECT_THAT(s.at(70s, killed(kNewMold, SIGKILL, "SIGKILL")).actions,
              Contains(HasSubstr("reload failed: it did not load within")));
  EXPECT_THAT(s.at(80s, reload()).actions, Contains("start mold 3"));
}

TEST(Rollout, ANewGenerationThatDiesYoungIsRolledBack) {
  Script s = with_canary();
  s.at(12s, ready(2)).expect({"drain worker 0", "fork worker 3 of 2"});
  s.at(12s, exited(pid_of(0), 0)).expect();
  s.at(12s, forked(3));
  const auto dead = s.at(12s, killed(pid_of(2), SIGSEGV, "SIGSEGV"));
  EXPECT_THAT(dead.actions, Contains(HasSubstr("reload failed: its workers die, generation 1")));
  EXPECT_EQ(s.snapshot().generation, 1);
  EXPECT_EQ(s.states(), "empty serving empty starting");
  s.at(13s, ready(3)).expect({"fork worker 0"});  // the last one of the new generation has its own successor
  s.at(13s, forked(0, 201));
  s.at(14s, ready(0)).expect({"drain worker 3"});
  s.at(15s, exited(pid_of(3), 0)).expect();
  EXPECT_EQ(s.states(), "serving serving empty empty");
}

/// A generation that brings settings of its own, rolled back once it was in force.
TEST(Rollout, OneThatIsRolledBackTakesItsSettingsWithIt) {
  Settings next = settings(3);
  next.grace = 1s;
  next.limits.max_lifetime = 20s;
  next.restart.backoff_first = 7s;
  next.reload.surge = 3;
  struct Row {
    const char* what;
    int brings;  ///< workers; 0: as many as there are
    int scaled_by;
    int wanted;
  };
  for (const auto& [what, brings, scaled_by, wanted] : {Row{"the number of before", 3, 0, 2},
                                                        Row{"a number that no reload has changed", 0, 0, 2},
                                                        Row{"what was asked for meanwhile", 3, +1, 4},
                                                        Row{"the same without a number of its own", 0, +1, 3}}) {
    SCOPED_TRACE(what);
    next.workers = brings;
    Script s(settings(2));
    s.booted_at(0s);
    s.at(10s, ReloadRequested{"HUP", next});
    s.at(10s, MoldStarted{2, kNewMold});
    s.at(11s, MoldLoaded{2});
    s.at(11s, forked(2));
    s.at(12s, ready(2));
    if (scaled_by != 0) s.at(12s, ScaleRequested{scaled_by, "TTIN"});
    s.at(12s, killed(pid_of(2), SIGSEGV, "SIGSEGV"));
    EXPECT_EQ(s.snapshot().generation, 1);
    EXPECT_EQ(s.snapshot().wanted, wanted);
    s.at(12s, StopRequested{"TERM"}).expect_line({"stopping", "at_most=30s"});
  }
}

/// The last old worker has gone: where only it listened nothing can come in any more.
TEST(Rollout, OnceTheOldAddressesAreLeftThereIsNoWayBack) {
  Script s = with_canary();
  s.at(12s, ready(2));
  s.at(12s, exited(pid_of(0), 0));
  s.at(12s, forked(3));
  s.at(13s, ready(3)).expect({"retire listeners", "drain worker 1"});
  const auto dead = s.at(13s, killed(pid_of(3), SIGSEGV, "SIGSEGV"));
  EXPECT_THAT(dead.lines, Contains(HasSubstr("has left its addresses: going on with the new one")));
  EXPECT_EQ(s.snapshot().generation, 2);
}

TEST(Rollout, SomebodysKillDoesNotSpeakAgainstTheNewCode) {
  Script s = with_canary();
  s.at(12s, ready(2)).expect({"drain worker 0", "fork worker 3 of 2"});
  const auto dead = s.at(12s, killed(pid_of(2), SIGKILL, "SIGKILL"));
  EXPECT_EQ(s.snapshot().generation, 2);
  EXPECT_THAT(dead.actions, Contains("fork worker 2 of 2"));
}

TEST(Rollout, ReloadsThatComeMeanwhileAreOneMore) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(10s, reload());
  s.at(10s, MoldStarted{2, kNewMold});
  for (int i = 0; i < 50; ++i) s.at(10s, reload()).expect();
  s.at(11s, MoldLoaded{2}).expect({"fork worker 1 of 2"});
  s.at(11s, forked(1));
  s.at(12s, ready(1));
  const auto done = s.at(12s, left(0));
  EXPECT_THAT(done.actions, Contains("reload done, generation 2"));
  EXPECT_THAT(done.actions, Contains("reload again for HUP"));
}

TEST(Rollout, ALongRequestDoesNotHoldItUp) {
  Script s = with_canary();
  s.at(12s, ready(2)).expect({"drain worker 0", "fork worker 3 of 2"});
  s.at(12s, forked(3));
  s.at(13s, ready(3)).expect({"retire listeners", "drain worker 1"});
  s.at(13s, left(1)).expect();
  EXPECT_THAT(s.at(13s, left(0)).actions, Contains("reload done, generation 2"));
  EXPECT_EQ(s.states(), "draining draining serving serving");
}

/// What an old worker may do after it was told to drain, and when the reload is over by that.
TEST(Rollout, OfGenerationsThatDoNotEndTheOldestIsCutOff) {
  Script s(settings(1));
  s.booted_at(0s);
  for (int generation = 2; generation <= 8; ++generation) {
    const int slot = generation - 1;
    const pid_t mold = kMold + generation - 1;
    EXPECT_THAT(s.at(10s, reload()).actions, Not(Contains(HasSubstr("kill")))) << generation;
    s.at(10s, MoldStarted{generation, mold});
    s.at(10s, MoldLoaded{generation});
    s.at(10s, forked(slot));
    s.at(10s, ready(slot));
    s.at(10s, left(slot - 1));
    s.at(10s, exited(mold - 1, 0));
  }
  const auto ninth = s.at(11s, reload());
  EXPECT_THAT(ninth.actions, Contains("kill 100 by 9"));
  EXPECT_THAT(ninth.lines,
              Contains("warning: too many generations live, the oldest one is cut off gen=1 workers=1 most=8"));
  EXPECT_EQ(s.snapshot().generation, 8);
}

TEST(Rollout, IsOverWhenNoOldWorkerAnswersAnybodyNew) {
  struct Row {
    Event last;
    Clock::duration at;
    bool over;
  };
  const Row table[] = {
      {left(1), 13s, true},
      {exited(pid_of(1), 0), 13s, true},
      {killed(pid_of(1), SIGSEGV, "SIGSEGV"), 13s, true},
      {left(0), 13s, false},                        // it has said so before
      {left(3), 13s, false},                        // nobody asked it to go
      {left(77), 13s, false},
      {OnlyStuckLeft{1}, 13s, false},
      {tick(), 15s, false},
      {tick(), 16s, true},                          // it hangs
  };
  for (const auto& [last, at, over] : table) {
    Script s = with_canary();
    s.at(12s, ready(2));
    s.at(12s, left(0)).expect();
    s.at(12s, forked(3));
    s.at(13s, ready(3)).expect({"retire listeners", "drain worker 1"});
    EXPECT_EQ(s.next_wakeup(), 16s);
    const auto step = s.at(at, last);
    EXPECT_EQ(std::count(step.actions.begin(), step.actions.end(), "reload done, generation 2"), over ? 1 : 0)
        << last.index() << " at " << at.count();
  }
}

TEST(Rollout, SaysForWhomItWaitsNoLonger) {
  Script s = with_canary();
  s.at(12s, ready(2));
  s.at(15s, tick())
      .expect_line({"warning: draining worker did not report that it stopped accepting", "slot=0", "worker_pid=100",
                    "cause=reload"});
  s.at(15s, forked(3));
  s.at(16s, ready(3)).expect({"retire listeners", "drain worker 1"});
  EXPECT_THAT(s.at(16s, left(1)).actions, Contains("reload done, generation 2"));
  EXPECT_THAT(s.at(42s, tick()).actions, ElementsAre("kill 100 by 9")) << "and its grace ends as ever";
}

TEST(Rollout, StopWhileReloadingEndsEverything) {
  Script s = with_canary();
  const auto stop = s.at(12s, StopRequested{"TERM"});
  EXPECT_THAT(stop.actions, Contains("stop worker 2"));
  EXPECT_THAT(stop.actions, Contains("stop mold 1"));
  EXPECT_THAT(stop.actions, Contains("stop mold 2"));
  for (int slot = 0; slot < 3; ++slot) s.at(13s, exited(pid_of(slot), 0));
  s.at(13s, exited(kMold, 0));
  s.at(13s, exited(kNewMold, 0)).expect({"finish 0"});
}

TEST(Rollout, WhoDrainsIsToldThatNobodyTakesOverAfterAll) {
  Script s = with_canary();
  s.at(12s, ready(2)).expect({"drain worker 0", "fork worker 3 of 2"});
  EXPECT_THAT(s.at(12s, StopRequested{"TERM"}).actions, Contains("stop worker 0"));
}

TEST(Rollout, TheOldMoldMayDieMeanwhile) {
  Script s = with_canary();
  s.at(12s, ready(2));
  s.at(12s, killed(kMold, SIGKILL, "SIGKILL")).expect();
  s.at(12s, forked(3));
  s.at(13s, ready(3));
  s.at(13s, left(0));
  EXPECT_THAT(s.at(13s, left(1)).actions, Contains("reload done, generation 2"));
}

TEST(Rollout, TheNewMoldIsStartedAgainIfItDiesWhileItRolls) {
  Script s = with_canary();
  s.at(12s, ready(2));
  s.at(12s, killed(kNewMold, SIGKILL, "SIGKILL")).expect({"start mold 2"});
}

TEST(Rollout, NewSettingsHoldOnceItRolls) {
  Settings more = settings(3);
  Script s(settings(2));
  s.booted_at(0s);
  s.at(10s, ReloadRequested{"HUP", more});
  s.at(10s, MoldStarted{2, kNewMold});
  s.at(10s, MoldLoaded{2}).expect({"fork worker 2 of 2"});
  s.at(10s, forked(2));
  s.at(11s, ready(2)).expect({"fork worker 3 of 2"});
}

TEST(Rollout, IsRefusedBeforeTheServerServes) {
  Script s(settings(1));
  s.at(0s, Start{});
  s.at(0s, reload()).expect({"reload failed: the server is still booting, generation 1"});
}

}  // namespace
}  // namespace serval::supervisor
