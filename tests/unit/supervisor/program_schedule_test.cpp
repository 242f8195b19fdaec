#include <gmock/gmock.h>

#include <chrono>
#include <csignal>

#include "program_script.hpp"
#include "supervisor/schedule.hpp"

/// What becomes of programs with a schedule.
namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using config::Program;
using config::ProgramOverlap;
using config::ProgramRestart;
using Order = ProgramOrdered::Order;
using testing::Contains;
using testing::HasSubstr;

Program job(Duration every = 60s) {
  Program program;
  program.command = {"./it"};
  program.every = every;
  program.restart = ProgramRestart::never;
  program.grace = 10s;
  return program;
}

/// "it" alone, its schedule has begun at 0 s.
class One {
 public:
  explicit One(const Program& program) : script(only({{"it", program}})) { script.at(0s, Start{}); }
  ProgramGroupRecord group() const { return script.snapshot().programs.at(0); }
  std::uint64_t runs(RunResult result) const {
    const auto& runs = group().schedule.runs;
    const auto found = runs.find(result);
    return found == runs.end() ? 0 : found->second;
  }
  Script script;
};

TEST(ProgramSchedule, ARunIsAProcessAndThereIsNoneBetweenThem) {
  One one(job());
  EXPECT_TRUE(one.group().instances.empty());
  EXPECT_EQ(one.script.next_wakeup(), 60s);
  one.script.at(60s, tick()).expect({"launch it[0] as 1"});
  one.script.at(60s, started(1)).expect({}).expect_line({"info: program started"});
  one.script.at(75s, ends(1))
      .expect({})
      .expect_line({"info: program run ended", "result=success", "took_ms=15000", "next=its next run is due in 45s"});
  EXPECT_TRUE(one.group().instances.empty());
  EXPECT_EQ(one.script.next_wakeup(), 120s) << "from its due time, and not from its end";
  one.script.at(120s, tick()).expect({"launch it[0] as 2"});
}

TEST(ProgramSchedule, TheServerIsReadyWithoutARunAndGoesOnWithoutOne) {
  Script s(only({{"it", job()}}));
  s.at(0s, Start{}).expect({"notify READY=1"});
  EXPECT_FALSE(s.snapshot().readiness.booting);
  s.at(60s, tick());
  s.at(60s, started(1));
  s.at(61s, ends(1, 3)).expect({});
  EXPECT_FALSE(s.snapshot().stopping);
}

TEST(ProgramSchedule, ARunThatIsDueWhileTheLastOneGoesOnIsSkipped) {
  One one(job());
  one.script.at(60s, tick());
  one.script.at(60s, started(1));
  one.script.at(120s, tick())
      .expect({})
      .expect_line({"warning: program run skipped", "the last run still goes on", "since_ms=60000"});
  EXPECT_EQ(one.runs(RunResult::skipped), 1u);
  one.script.at(130s, ends(1)).expect({});
  one.script.at(180s, tick()).expect({"launch it[0] as 2"});
}

TEST(ProgramSchedule, ARunWhoseLeftoversAreBeingEndedGoesOn) {
  One one(job());
  one.script.at(60s, tick());
  one.script.at(60s, started(1));
  one.script.at(119s, ends(1, 0, 2)).expect({"end what 501 left by 119000ms"});
  one.script.at(120s, tick()).expect({});
  EXPECT_EQ(one.runs(RunResult::skipped), 1u);
  one.script.at(121s, ProgramCleared{1}).expect({});
  EXPECT_TRUE(one.group().instances.empty());
}

TEST(ProgramSchedule, RunsOverlapIfTheyAreToldTo) {
  Program both = job();
  both.overlap = ProgramOverlap::allow;
  One one(both);
  one.script.at(60s, tick());
  one.script.at(60s, started(1));
  one.script.at(120s, tick()).expect({"launch it[1] as 2"});
  one.script.at(120s, started(2));
  one.script.at(130s, ends(1));
  one.script.at(180s, tick()).expect({"launch it[0] as 3"});
  // But not without an end.
  for (int i = 4; i < 100; ++i) {
    one.script.at(i * 60s, tick());
    one.script.at(i * 60s, started(i));
  }
  EXPECT_EQ(one.group().instances.size(), 32u);
  EXPECT_GT(one.runs(RunResult::skipped), 0u);
}

TEST(ProgramSchedule, AFailedRunIsSaidAndTheNextOneComesOnTime) {
  One one(job());
  one.script.at(60s, tick());
  one.script.at(60s, started(1));
  one.script.at(65s, ends(1, 3)).expect({}).expect_line({"error: program run ended", "result=failure", "exit code 3"});
  const ScheduleRecord schedule = one.group().schedule;
  EXPECT_TRUE(schedule.ran);
  EXPECT_EQ(schedule.result, RunResult::failure);
  EXPECT_EQ(schedule.how, "exit code 3");
  EXPECT_EQ(schedule.took_ms, 5000);
  EXPECT_EQ(schedule.succeeded_ms, 0);
  EXPECT_EQ(one.script.next_wakeup(), 120s);
  one.script.at(120s, tick()).expect({"launch it[0] as 2"});
}

TEST(ProgramSchedule, ACodeThatStopsCountsAsSuccess) {
  Program program = job();
  program.stop_codes = {3};
  One one(program);
  one.script.at(60s, tick());
  one.script.at(60s, started(1));
  one.script.at(61s, ends(1, 3)).expect_line({"info: program run ended", "result=success"});
}

TEST(ProgramSchedule, WithOnFailureItIsTriedAgainUntilTheNextRunIsDue) {
  Program program = job();
  program.restart = ProgramRestart::on_failure;
  One one(program);
  one.script.at(60s, tick());
  Clock::duration now = 60s;
  int id = 1;
  int tries = 0;
  for (; now < 120s && tries < 50; ++tries) {
    one.script.at(now, started(id));
    const auto step = one.script.at(now + 1s, ends(id, 1));
    now += 1s;
    if (testing::Value(step.actions, Contains("launch it[0] as 1"))) continue;
    now = std::max(now, one.script.next_wakeup());
    if (now < 120s) one.script.at(now, tick());
  }
  EXPECT_GT(tries, 2);
  EXPECT_EQ(now, 120s) << "a try that would come later gives way to the schedule";
  one.script.at(120s, tick());
  ASSERT_EQ(one.group().instances.size(), 1u);
  EXPECT_EQ(one.group().instances[0].failures, 0);
}

TEST(ProgramSchedule, ARunThatTakesTooLongIsEndedAndNotReplaced) {
  Program program = job();
  program.max_lifetime = 20s;
  One one(program);
  one.script.at(60s, tick());
  one.script.at(60s, started(1));
  EXPECT_EQ(one.script.next_wakeup(), 80s);
  const auto step = one.script.at(80s, tick());
  step.expect({"signal 501 by 15"});
  EXPECT_THAT(step.lines, Contains(HasSubstr("error: program run takes too long")));
  one.script.at(90s, tick()).expect({"signal 501 by 9 with all"});
  one.script.at(90s, ChildExited{501, {.signaled = true, .code = SIGKILL, .text = "SIGKILL"}})
      .expect({})
      .expect_line({"error: program run ended", "result=timeout"});
  EXPECT_EQ(one.runs(RunResult::timeout), 1u);
  one.script.at(120s, tick()).expect({"launch it[0] as 2"});
}

TEST(ProgramSchedule, OneThatCannotBeStartedIsAFailure) {
  One one(job());
  one.script.at(60s, tick());
  one.script.at(60s, ProgramNotStarted{1, "no such file"})
      .expect_line({"error: program run not started", "no such file"});
  EXPECT_THAT(one.group().failure, HasSubstr("a run did not start: no such file"));
  EXPECT_EQ(one.runs(RunResult::failure), 1u);
  one.script.at(120s, tick()).expect({"launch it[0] as 2"});
  one.script.at(120s, started(2));
  EXPECT_EQ(one.group().failure, "");
}

TEST(ProgramSchedule, StartRunsItNowAndMovesNothing) {
  One one(job());
  one.script.at(10s, order(Order::start)).expect({"launch it[0] as 1"});
  one.script.at(10s, started(1));
  one.script.at(20s, ends(1)).expect({});
  EXPECT_EQ(one.script.next_wakeup(), 60s);
}

TEST(ProgramSchedule, StopEndsTheRunAndTheScheduleUntilStart) {
  One one(job());
  one.script.at(60s, tick());
  one.script.at(60s, started(1));
  one.script.at(61s, order(Order::stop)).expect({"signal 501 by 15"});
  one.script.at(62s, ends(1)).expect({}).expect_line({"result=stopped"});
  EXPECT_EQ(one.script.next_wakeup(), Clock::duration::max());
  one.script.at(200s, tick()).expect({});
  one.script.at(210s, order(Order::start)).expect({"launch it[0] as 2"});
  EXPECT_EQ(one.runs(RunResult::missed), 0u) << "it was not wanted meanwhile";
  one.script.at(210s, started(2));
  one.script.at(211s, ends(2));
  EXPECT_EQ(one.script.next_wakeup(), 270s);
}

TEST(ProgramSchedule, ReplacingLeavesARunAlone) {
  One one(job());
  one.script.at(60s, tick());
  one.script.at(60s, started(1));
  one.script.at(61s, order(Order::replace)).expect({});
}

TEST(ProgramSchedule, AReloadWithoutAChangeMovesNothingAndAChangeHoldsFromTheNextRun) {
  const auto is_about_the_reload = testing::AnyOf(HasSubstr("notify"), HasSubstr("reload done"));
  Settings before = only({{"it", job()}});
  Script s(before);
  s.at(0s, Start{});
  s.at(60s, tick());
  s.at(60s, started(1));
  Settings same = before;
  EXPECT_THAT(s.at(70s, ReloadRequested{"serval reload", same}).actions, testing::Each(is_about_the_reload));
  EXPECT_EQ(s.next_wakeup(), 120s);
  Settings other = before;
  other.programs["it"].command = {"./other"};
  EXPECT_THAT(s.at(80s, ReloadRequested{"serval reload", other}).actions, testing::Each(is_about_the_reload));
  EXPECT_EQ(s.next_wakeup(), 120s);
  EXPECT_TRUE(s.snapshot().programs[0].instances[0].outdated);
  EXPECT_EQ(s.state().programs[0].instances[0].cause, Cause::none) << "no upgrade has to wait for it";
  Settings faster = other;
  faster.programs["it"].every = 30s;
  EXPECT_THAT(s.at(90s, ReloadRequested{"serval reload", faster}).actions, testing::Each(is_about_the_reload));
  s.at(95s, ends(1)).expect({});
  EXPECT_EQ(s.next_wakeup(), 120s) << "30 s after the reload";
}

TEST(ProgramSchedule, AProgramThatGetsAScheduleMakesRoomAndBack) {
  Program kept = job(0s);
  kept.restart = ProgramRestart::always;
  kept.ready = "fd";
  Script s(only({{"it", kept}}));
  s.at(0s, Start{}).expect({"launch it[0] as 1"});
  s.at(0s, started(1));
  s.at(1s, ProgramReady{1});
  const auto to_job = s.at(2s, ReloadRequested{"serval reload", only({{"it", job()}})});
  EXPECT_THAT(to_job.actions, Contains("signal 501 by 15"));
  s.at(3s, ends(1)).expect({});
  EXPECT_TRUE(s.snapshot().programs[0].instances.empty());
  s.at(62s, tick()).expect({"launch it[0] as 2"});
  s.at(62s, started(2));
  const auto back = s.at(63s, ReloadRequested{"serval reload", only({{"it", kept}})});
  EXPECT_THAT(back.actions, Contains("signal 502 by 15"));
  s.at(64s, ends(2)).expect({"launch it[0] as 3"});
}

TEST(ProgramSchedule, AfterHolds) {
  Program first = job(0s);
  first.restart = ProgramRestart::always;
  first.ready = "fd";
  Program second = job(10s);
  second.after = {"first"};
  Script s(only({{"first", first}, {"it", second}}));
  s.at(0s, Start{}).expect({"launch first[0] as 1"});
  s.at(0s, started(1));
  s.at(10s, tick()).expect({});
  s.at(20s, tick()).expect({}).expect_no_line();
  const auto step = s.at(25s, ProgramReady{1});
  EXPECT_THAT(step.actions, Contains("launch it[0] as 2"));
}

TEST(ProgramSchedule, AStopEndsTheRunAndBeginsNone) {
  One one(job());
  one.script.at(60s, tick());
  one.script.at(60s, started(1));
  const auto step = one.script.at(119s, StopRequested{"TERM"});
  EXPECT_THAT(step.actions, Contains("signal 501 by 15"));
  const auto later = one.script.at(121s, tick());
  EXPECT_THAT(later.actions, testing::Not(Contains(HasSubstr("launch"))));
  EXPECT_EQ(one.script.next_wakeup(), 129s) << "its grace";
  one.script.at(122s, ends(1)).expect({"finish 0"});
}

TEST(ProgramSchedule, NoneBeginsDuringTheDelayOfAStop) {
  Settings delayed = only({{"it", job()}});
  delayed.delay = 30s;
  Script s(delayed);
  s.at(0s, Start{});
  s.at(50s, StopRequested{"TERM"});
  s.at(60s, tick()).expect({});
  EXPECT_EQ(s.next_wakeup(), 80s);
}

TEST(ProgramSchedule, GoesOnAfterAnUpgradeWhereItWas) {
  One one(job());
  one.script.at(60s, tick());
  one.script.at(60s, started(1));
  Script next(only({{"it", job()}}), one.script, 70s);
  next.at(70s, tick()).expect({});
  EXPECT_EQ(next.next_wakeup(), 120s);
  next.at(71s, ends(1)).expect({}).expect_line({"result=success", "took_ms=11000"});
}

TEST(ProgramSchedule, ByCronItGoesByTheWallClock) {
  Program program = job(0s);
  program.cron = "30 12 * * *";
  Script s(only({{"it", program}}));
  s.set_clock(WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 28)));
  s.at(0s, Start{});
  EXPECT_EQ(s.next_wakeup(), 12h + 30min);
  EXPECT_EQ(s.snapshot().programs[0].rule, "30 12 * * *");
  EXPECT_EQ(s.snapshot().programs[0].schedule.next_ms, 1795869000000);
  // Somebody sets the clock from 01:00 to 12:00.
  s.set_clock(WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 28)) + 11h);
  s.at(1h, tick()).expect({});
  EXPECT_EQ(s.next_wakeup(), 1h + 30min);
  s.at(1h + 30min, tick()).expect({"launch it[0] as 1"});
  s.at(1h + 30min, started(1));
  s.at(1h + 30min + 1s, ends(1)).expect_line({"next=its next run is due at 2026-11-29 12:30:00 +00:00"});
  // And on by three days: what was missed is not made up for.
  s.set_clock(WallTime(std::chrono::sys_days(std::chrono::year(2026) / 12 / 1)) + 11h);
  s.at(2h, tick()).expect({}).expect_line({"warning: runs of a program were missed", "runs=3"});
}

}  // namespace
}  // namespace serval::supervisor
