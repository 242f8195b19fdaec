#include <gmock/gmock.h>

#include "script.hpp"

// The generation before a reload is kept for a while (reload.keep), and serves again when somebody asks for it.
namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr pid_t kNewMold = 51;

Settings keeping(int workers, Duration keep = 600s) {
  Settings result = settings(workers);
  result.reload.keep = keep;
  return result;
}

/// One worker; generation 2 has taken over at 12s.
Script reloaded(const Settings& base = keeping(1)) {
  Script s(base);
  s.booted_at(0s);
  s.at(10s, ReloadRequested{"HUP", {}});
  s.at(10s, MoldStarted{2, kNewMold});
  s.at(11s, MoldLoaded{2});
  s.at(11s, forked(1));
  s.at(12s, ready(1));
  s.at(12s, left(0));
  s.at(13s, exited(pid_of(0), 0));
  return s;
}

std::string kept(const Script& s) {
  for (const GenerationLife& life : s.snapshot().generations) {
    if (life.state == GenerationState::kept) return std::to_string(life.number);
  }
  return "";
}

Event rollback() { return RollbackRequested{"serval rollback", {}}; }

TEST(Rollback, TheOldMoldStaysForAsLongAsItShould) {
  Script s = reloaded();
  EXPECT_EQ(kept(s), "1");
  EXPECT_EQ(s.next_wakeup(), 612s);
  s.at(612s, tick()).expect({"stop mold 1"});
  EXPECT_EQ(kept(s), "");
  s.at(613s, exited(kMold, 0)).expect();
  EXPECT_EQ(s.next_wakeup(), Clock::duration::max());
}

TEST(Rollback, WithoutKeepItGoes) {
  Script s = reloaded(keeping(1, 0s));
  EXPECT_EQ(kept(s), "");
  const auto refused = s.at(20s, rollback());
  refused.expect({"reload failed: no generation is kept, generation 2"});
}

TEST(Rollback, NothingIsLoadedAndTheNewerOneIsKept) {
  Script s = reloaded();
  const auto begun = s.at(20s, rollback());
  begun.expect_line({"info: rolling back", "from_gen=2", "to_gen=1", "by=serval rollback"});
  EXPECT_THAT(begun.actions, ElementsAre(HasSubstr("notify RELOADING=1"), "fork worker 0"));
  s.at(20s, forked(0, 300));
  EXPECT_THAT(s.at(20s, ready(0)).actions, Contains("drain worker 1"));
  EXPECT_THAT(s.at(20s, left(1)).actions, Contains("reload done, generation 1"));
  EXPECT_EQ(s.snapshot().generation, 1);
  EXPECT_EQ(kept(s), "2");
  s.at(21s, exited(pid_of(1), 0)).expect();
  s.at(30s, rollback());  // and forward again
  s.at(30s, forked(1, 301));
  s.at(30s, ready(1));
  s.at(30s, left(0));
  EXPECT_EQ(s.snapshot().generation, 2);
  EXPECT_EQ(kept(s), "1");
}

TEST(Rollback, WhatHasServedIsNotPutToTheProofAgain) {
  Settings careful = keeping(1);
  careful.probation = 250ms;
  careful.reload.watch = 30s;
  Script s(careful);
  s.booted_at(0s);
  s.at(10s, ReloadRequested{"HUP", {}});
  s.at(10s, MoldStarted{2, kNewMold});
  s.at(11s, MoldLoaded{2});
  s.at(11s, forked(1));
  s.at(12s, ready(1));
  s.at(12250ms, tick()).expect({"look at generations 1 and 2"});
  s.at(12250ms, GenerationFigures{1, 2, {}, {}});
  s.at(42250ms, tick());
  s.at(42250ms, GenerationFigures{1, 2, {}, {}});
  s.at(42250ms, left(0));
  s.at(43s, exited(pid_of(0), 0));
  ASSERT_EQ(kept(s), "1");
  s.at(50s, rollback());
  s.at(50s, forked(0, 300));
  EXPECT_THAT(s.at(50s, ready(0)).actions, Contains("drain worker 1"));
}

TEST(Rollback, AnyOtherReloadReplacesTheOneThatIsKept) {
  Script s = reloaded();
  s.at(20s, ReloadRequested{"HUP", {}});
  s.at(20s, MoldStarted{3, 52});
  s.at(21s, MoldLoaded{3});
  s.at(21s, forked(0, 300));
  EXPECT_EQ(kept(s), "1") << "while it may fail";
  s.at(22s, ready(0));
  EXPECT_THAT(s.at(22s, left(1)).actions, Contains("stop mold 1"));
  EXPECT_EQ(kept(s), "2");
}

TEST(Rollback, AKeptMoldThatDiesIsNotStartedAgain) {
  Script s = reloaded();
  const auto died = s.at(20s, killed(kMold, 9, "SIGKILL"));
  died.expect();
  EXPECT_THAT(died.lines, Contains(HasSubstr("its mold has ended")));
  EXPECT_EQ(kept(s), "");
  EXPECT_EQ(s.next_wakeup(), Clock::duration::max());
}

TEST(Rollback, OneThatFailsLeavesTheNewerOneServing) {
  Script s = reloaded();
  s.at(20s, rollback());
  s.at(20s, forked(0, 300));
  const auto died = s.at(20s, killed(300, 11, "SIGSEGV"));
  EXPECT_THAT(died.actions, Contains(HasSubstr("reload failed: it ended before it was ready: SIGSEGV, generation 2")));
  EXPECT_THAT(died.lines, Contains(HasSubstr("rollback failed")));
  EXPECT_EQ(kept(s), "1");
  EXPECT_EQ(s.snapshot().generation, 2);
}

TEST(Rollback, WhileAReloadIsUnderWayItIsRefused) {
  Script s = reloaded();
  s.at(20s, ReloadRequested{"HUP", {}});
  s.at(20s, rollback()).expect({"reload failed: a reload is under way, generation 2"});
}

TEST(Rollback, AnUpgradeKeepsIt) {
  const Script before = reloaded();
  Script s(keeping(1), before, 20s);
  EXPECT_EQ(kept(s), "1");
  s.at(20s, tick()).expect();
  EXPECT_EQ(s.next_wakeup(), 612s);
  EXPECT_THAT(s.at(30s, rollback()).actions, Contains("fork worker 0"));
}

TEST(Rollback, AStopEndsTheKeptMoldToo) {
  Script s = reloaded();
  s.at(20s, StopRequested{"TERM"});
  s.at(21s, exited(pid_of(1), 0));
  EXPECT_THAT(s.at(21s, tick()).actions, Not(Contains("finish 0")));
  s.at(22s, exited(kMold, 0));
  EXPECT_THAT(s.at(22s, exited(kNewMold, 0)).actions, Contains("finish 0"));
}

}  // namespace
}  // namespace serval::supervisor
