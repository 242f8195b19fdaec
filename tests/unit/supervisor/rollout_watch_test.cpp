#include <gmock/gmock.h>

#include "script.hpp"

// Reloads with reload.watch: the first workers of the new generation are compared with the old one before others
// follow.
namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr pid_t kNewMold = 51;

Settings watching(int workers, Duration watch = 5s, config::Portion canary = {}) {
  Settings result = settings(workers);
  result.reload.watch = watch;
  result.reload.canary = canary;
  return result;
}

Figures answers(std::uint64_t good, std::uint64_t failed) {
  return {.requests = good + failed, .errors = failed, .bounds = {0.01}, .durations = {good + failed, 0}};
}

Event figures(const Figures& old, const Figures& fresh) { return GenerationFigures{1, 2, old, fresh}; }

/// The first worker of generation 2 has become ready at 12s.
Script with_ready_canary(const Settings& base) {
  Script s(base);
  s.booted_at(0s);
  s.at(10s, ReloadRequested{"HUP", {}});
  s.at(10s, MoldStarted{2, kNewMold});
  s.at(11s, MoldLoaded{2});
  s.at(11s, forked(base.workers));
  return s;
}

/// The watch has begun at 12s.
Script watched(const Settings& base = watching(2)) {
  Script s = with_ready_canary(base);
  s.at(12s, ready(2)).expect({"look at generations 1 and 2"});
  s.at(12s, figures(answers(1000, 0), answers(3, 0))).expect();
  return s;
}

TEST(RolloutWatch, NobodyLeavesBeforeItIsOver) {
  Script s = watched();
  EXPECT_EQ(s.states(), "serving serving serving");
  for (const Clock::duration time : {13s, 14s, 15s, 16s}) {
    EXPECT_EQ(s.next_wakeup(), time);
    s.at(time, tick()).expect({"look at generations 1 and 2"});
    s.at(time, figures(answers(2000, 0), answers(300, 0))).expect();
  }
  s.at(17s, tick()).expect({"look at generations 1 and 2"});
  const auto over = s.at(17s, figures(answers(3000, 0), answers(1000, 0)));
  over.expect({"drain worker 0", "fork worker 3 of 2"});
  EXPECT_THAT(over.lines, Contains(HasSubstr("the new generation answers no worse than the old one")));
}

TEST(RolloutWatch, WhatAnswersWorseIsRolledBackAtOnceAndDrains) {
  Script s = watched();
  s.at(13s, tick());
  const auto bad = s.at(13s, figures(answers(1400, 0), answers(183, 20)));
  EXPECT_THAT(bad.actions, Contains("drain worker 2"));
  EXPECT_THAT(bad.actions, Contains(HasSubstr("reload failed: its requests fail more often")));
  EXPECT_THAT(bad.actions, Contains(HasSubstr("20 of 200 requests failed")));
  EXPECT_THAT(bad.actions, Contains("stop mold 2"));
  EXPECT_THAT(bad.actions, Contains(HasSubstr("notify READY=1")));
  EXPECT_THAT(bad.actions, Not(Contains(HasSubstr("kill"))));
  EXPECT_THAT(bad.lines, Contains(HasSubstr("reload failed, the old generation goes on")));
  EXPECT_EQ(s.states(), "serving serving draining");
  EXPECT_EQ(s.snapshot().generation, 1);
  s.at(14s, exited(pid_of(2), 0)).expect();
  EXPECT_EQ(s.next_wakeup() < 100s, true);  // the mold's end alone is waited for
  s.at(14s, exited(kNewMold, 0)).expect();
  EXPECT_EQ(s.next_wakeup(), Clock::duration::max());
}

TEST(RolloutWatch, WhatWasAnsweredBeforeItBeganDoesNotCount) {
  Script s = with_ready_canary(watching(2));
  s.at(12s, ready(2));
  s.at(12s, figures(answers(1000, 0), answers(100, 100)));
  s.at(13s, tick());
  s.at(13s, figures(answers(1400, 0), answers(300, 100))).expect();
}

TEST(RolloutWatch, TooFewRequestsAreNoReason) {
  Script s = watched(watching(2, 1s));
  s.at(13s, tick());
  const auto over = s.at(13s, figures(answers(1400, 0), answers(23, 0)));
  over.expect({"drain worker 0", "fork worker 3 of 2"});
  EXPECT_THAT(over.lines, Contains(HasSubstr("too few requests to compare the generations")));
}

TEST(RolloutWatch, ShareOfTheWorkersIsWatched) {
  Script s = with_ready_canary(watching(4, 1s, {.number = 50, .percent = true}));
  s.at(12s, ready(4)).expect({"fork worker 5 of 2"});
  s.at(12s, forked(5)).expect();
  s.at(13s, ready(5)).expect({"look at generations 1 and 2"});
  s.at(13s, figures(answers(10, 0), answers(0, 0)));
  s.at(14s, tick());
  s.at(14s, figures(answers(1000, 0), answers(1000, 0)));
  EXPECT_EQ(s.states(), "draining serving serving serving serving serving");
  EXPECT_THAT(s.at(14s, left(0)).actions, Contains("drain worker 1"));
}

TEST(RolloutWatch, NeverMoreThanThereAreWorkers) {
  Script s = with_ready_canary(watching(1, 1s, {.number = 10}));
  s.at(12s, ready(1)).expect({"look at generations 1 and 2"});
}

TEST(RolloutWatch, ACanaryThatDiesEndsItAndTheOthersDrain) {
  Script s = with_ready_canary(watching(2, 5s, {.number = 2}));
  s.at(12s, ready(2));
  s.at(12s, forked(3));
  s.at(13s, ready(3));
  const auto died = s.at(14s, killed(pid_of(2), 11, "SIGSEGV"));
  EXPECT_THAT(died.actions, Contains("drain worker 3"));
  EXPECT_THAT(died.actions, Contains(HasSubstr("reload failed: its first worker died: SIGSEGV")));
  EXPECT_EQ(s.states(), "serving serving empty draining");
}

TEST(RolloutWatch, AnOldWorkerThatDiesIsReplacedByAnOldOne) {
  Script s = watched();
  s.at(12s, killed(pid_of(0), 11, "SIGSEGV")).expect({"fork worker 0"});
}

TEST(RolloutWatch, ACanaryThatIsSpentServesOnUntilItIsOver) {
  Script s = watched();
  s.at(12s, WorkerSpent{2}).expect();
  EXPECT_EQ(s.states(), "serving serving serving");
}

TEST(RolloutWatch, AStopEndsIt) {
  Script s = watched();
  s.at(13s, StopRequested{"TERM"});
  s.at(13s, figures(answers(1400, 0), answers(183, 20))).expect();
  EXPECT_EQ(s.states(), "draining draining draining");
}

TEST(RolloutWatch, CanBeCalledOff) {
  Script s = watched();
  const auto off = s.at(13s, ReloadCalledOff{"serval rollback"});
  EXPECT_THAT(off.actions, Contains("drain worker 2"));
  EXPECT_THAT(off.actions, Contains("reload failed: called off by serval rollback, generation 1"));
  EXPECT_THAT(off.actions, Contains("stop mold 2"));
  EXPECT_EQ(s.states(), "serving serving draining");
}

TEST(RolloutWatch, WhatStillLoadsCanBeCalledOff) {
  Script s(watching(2));
  s.booted_at(0s);
  s.at(10s, ReloadRequested{"HUP", {}});
  s.at(10s, MoldStarted{2, kNewMold});
  const auto off = s.at(11s, ReloadCalledOff{"serval rollback"});
  EXPECT_THAT(off.actions, Contains("reload failed: called off by serval rollback, generation 1"));
  EXPECT_EQ(s.states(), "serving serving");
  s.at(12s, MoldLoaded{2});
  EXPECT_EQ(s.states(), "serving serving");
  EXPECT_EQ(s.snapshot().generation, 1);
}

TEST(RolloutWatch, WhatRollsOutIsTakenBackWhileTheOldMoldIsThere) {
  Script s = watched(watching(2, 1s));
  s.at(13s, tick());
  s.at(13s, figures(answers(1400, 0), answers(23, 0))).expect({"drain worker 0", "fork worker 3 of 2"});
  const auto off = s.at(14s, ReloadCalledOff{"serval rollback"});
  EXPECT_THAT(off.actions, Contains("reload failed: called off by serval rollback, generation 1"));
  EXPECT_EQ(s.snapshot().generation, 1);
}

TEST(RolloutWatch, WithoutAReloadNothingIsCalledOff) {
  Script s(watching(2));
  s.booted_at(0s);
  s.at(10s, ReloadCalledOff{"serval rollback"}).expect();
}

TEST(RolloutWatch, FiguresOfAnotherReloadAreNotMinded) {
  Script s = watched();
  s.at(13s, tick());
  s.at(13s, GenerationFigures{2, 3, answers(1400, 0), answers(0, 400)}).expect();
}

TEST(RolloutWatch, WhereNobodyServesNothingIsCompared) {
  Script s = with_ready_canary(watching(1));
  s.at(11s, killed(pid_of(0), 11, "SIGSEGV"));
  EXPECT_THAT(s.at(11500ms, ready(1)).actions, Not(Contains("look at generations 1 and 2")));
}

}  // namespace
}  // namespace serval::supervisor
