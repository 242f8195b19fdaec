#include "supervisor/program_tasks.hpp"

#include <gmock/gmock.h>

#include <csignal>

#include "base/exit_code.hpp"
#include "program_script.hpp"

// Programs that are tasks of the app's library.
namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr pid_t kNewMold = 51;

config::Program task(int count = 1) {
  config::Program program;
  program.run = "task:queue";
  program.count = count;
  program.ready = "fd";
  program.grace = 10s;
  return program;
}

Settings with(const config::Program& program, int workers = 1) {
  Settings result = settings(workers);
  result.reload.keep = 600s;
  result.programs = {{"it", program}};
  return result;
}

Event loaded(int generation, std::vector<std::string> tasks = {"queue"}) {
  return MoldLoaded{generation, "", std::move(tasks)};
}

/// One worker and one task serve at 1 s.
Script running(const Settings& base = with(task())) {
  Script s(base);
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, loaded(1));
  s.at(0s, forked(0));
  s.at(0s, started(1));
  s.at(1s, ready(0));
  s.at(1s, is_ready(1));
  return s;
}

/// Until the first worker of generation 2 serves.
Script::Step reload(Script& s, const Settings& settings) {
  s.at(10s, ReloadRequested{"HUP", settings});
  s.at(10s, MoldStarted{2, kNewMold});
  s.at(11s, loaded(2));
  s.at(11s, forked(1));
  s.at(12s, ready(1));
  return s.at(12s, left(0));
}

std::string state(const Script& s) {
  std::string text;
  const Snapshot snapshot = s.snapshot();
  for (const auto& instance : snapshot.programs.front().instances)
    text +=
        (text.empty() ? "" : " ") + std::string(name_of(instance.state)) + " " + std::to_string(instance.generation);
  return text;
}

TEST(ProgramTasks, WaitForTheMoldThatForksThem) {
  Script s(with(task(2)));
  s.at(0s, Start{}).expect({"start mold 1"});
  s.at(0s, MoldStarted{1, kMold}).expect();
  EXPECT_THAT(s.at(1s, loaded(1)).actions, Contains("launch it[0] as 1 from mold 1"));
  EXPECT_EQ(state(s), "starting 1 starting 1");
}

TEST(ProgramTasks, AStartWithoutTheTaskFails) {
  Script s(with(task()));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  const auto step = s.at(0s, loaded(1, {"other", "more"}));
  EXPECT_THAT(step.lines, Contains(HasSubstr("error: the app lacks a task")));
  EXPECT_THAT(step.lines, Contains(HasSubstr("it has: other, more")));
  EXPECT_THAT(step.actions, Not(Contains(HasSubstr("launch"))));
  s.at(0s, killed(kMold, SIGKILL, "SIGKILL")).expect({"finish 1"});
}

TEST(ProgramTasks, AReloadReplacesThemOnceItHasSucceeded) {
  Script s = running();
  const auto step = reload(s, with(task()));
  EXPECT_THAT(step.actions, Contains("signal 501 by 15"));
  EXPECT_EQ(state(s).substr(0, 10), "stopping 1");
  s.at(13s, ChildExited{501, {.text = "exit code 0"}}).expect({"launch it[0] as 2 from mold 2"});
  EXPECT_EQ(s.snapshot().programs.front().restarts.at(Cause::reload), 1u);
}

TEST(ProgramTasks, WhileAReloadIsUnderWayTheyComeFromTheOldGeneration) {
  Script s = running();
  s.at(10s, ReloadRequested{"HUP", with(task())});
  s.at(10s, MoldStarted{2, kNewMold});
  s.at(11s, loaded(2));
  // It was healthy, and so is started again at once.
  s.at(11s, ChildExited{501, {.code = 1, .text = "exit code 1"}}).expect({"launch it[0] as 1 from mold 1"});
}

TEST(ProgramTasks, AReloadWithoutTheTaskFailsAndTheyGoOn) {
  Script s = running();
  s.at(10s, ReloadRequested{"HUP", with(task())});
  s.at(10s, MoldStarted{2, kNewMold});
  const auto step = s.at(11s, loaded(2, {}));
  EXPECT_THAT(step.actions, Contains(HasSubstr("reload failed: programs.it.run: the library registers no task")));
  EXPECT_THAT(step.actions, Contains("stop mold 2"));
  EXPECT_EQ(state(s), "ready 1");
}

TEST(ProgramTasks, AReloadMayBringAndTakeTasks) {
  Script s = running();
  Settings without = with(task());
  without.programs.clear();
  s.at(10s, ReloadRequested{"HUP", without});
  s.at(10s, MoldStarted{2, kNewMold});
  EXPECT_THAT(s.at(11s, loaded(2, {})).actions, Contains("fork worker 1 of 2"));
}

TEST(ProgramTasks, ARollbackReplacesThemToo) {
  Script s = running();
  reload(s, with(task()));
  s.at(13s, ChildExited{501, {.text = "exit code 0"}});
  s.at(13s, started(2));
  s.at(14s, is_ready(2));
  s.at(15s, exited(pid_of(0), 0));
  s.at(20s, RollbackRequested{"serval rollback", with(task())});
  s.at(20s, forked(0, 300));
  s.at(20s, ready(0));
  EXPECT_THAT(s.at(20s, left(1)).actions, Contains("signal 502 by 15"));
  s.at(21s, ChildExited{502, {.text = "exit code 0"}}).expect({"launch it[0] as 3 from mold 1"});
}

TEST(ProgramTasks, AReplacementThatFailsIsTriedAgainByTheNextReload) {
  config::Program rolling = task();
  rolling.replace = config::ProgramReplace::rolling;
  Script s = running(with(rolling));
  EXPECT_THAT(reload(s, with(rolling)).actions, Contains("launch it[0] as 2 from mold 2"));
  s.at(12s, started(2));
  s.at(13s, ChildExited{502, {.code = 1, .text = "exit code 1"}}).expect();
  s.at(13s, exited(pid_of(0), 0));
  EXPECT_EQ(state(s), "ready 1");
  s.at(20s, tick()).expect();
  s.at(30s, ReloadRequested{"HUP", with(rolling)});
  s.at(30s, MoldStarted{3, 52});
  s.at(31s, loaded(3));
  s.at(31s, forked(0, 300));
  s.at(32s, ready(0));
  EXPECT_THAT(s.at(32s, left(1)).actions, Contains("launch it[0] as 3 from mold 3"));
}

TEST(ProgramTasks, OneThatIsDoneIsNotDoneAgainByAReload) {
  config::Program once = task();
  once.restart = config::ProgramRestart::never;
  Script s = running(with(once));
  s.at(2s, ChildExited{501, {.text = "exit code 0"}});
  EXPECT_EQ(state(s), "ended 1");
  EXPECT_THAT(reload(s, with(once)).actions, Not(Contains(HasSubstr("launch"))));
}

TEST(ProgramTasks, OneThatHasFailedForGoodHasAnotherChance) {
  config::Program once = task();
  once.restart = config::ProgramRestart::never;
  Script s = running(with(once));
  s.at(2s, ChildExited{501, {.code = 3, .text = "exit code 3"}});
  EXPECT_THAT(reload(s, with(once)).actions, Contains("launch it[0] as 1 from mold 2"));
}

TEST(ProgramTasks, TheDeathOfTheMoldOnlyDelaysTheNextOne) {
  Script s = running();
  s.at(40s, killed(kMold, SIGKILL, "SIGKILL"));
  EXPECT_EQ(state(s), "ready 1");
  s.at(41s, MoldStarted{1, kNewMold});
  EXPECT_THAT(s.at(41s, ChildExited{501, {.code = 1, .text = "exit code 1"}}).actions,
              Not(Contains(HasSubstr("launch"))));
  EXPECT_THAT(s.at(50s, tick()).actions, Not(Contains(HasSubstr("launch"))));
  EXPECT_THAT(s.at(51s, loaded(1)).actions, Contains("launch it[0] as 1 from mold 1"));
}

TEST(ProgramTasks, AMoldThatDoesNotForkOneInTimeIsKilled) {
  config::Program impatient = task();
  impatient.ready_timeout = 5s;
  Script s(with(impatient));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, loaded(1));
  s.at(0s, forked(0));
  s.at(1s, ready(0));
  const auto step = s.at(5s, tick());
  EXPECT_THAT(step.actions, Contains("kill 50 by 9"));
  s.at(5s, tick()).expect();
  s.at(6s, ProgramNotStarted{1, "the mold ended before it had forked the task"});
  EXPECT_EQ(state(s), "waiting 1");
}

TEST(ProgramTasks, OneThatIsNotWantedAnyMoreWhenItIsForkedStopsAtOnce) {
  Script s = running();
  s.at(2s, ChildExited{501, {.code = 1, .text = "exit code 1"}});
  s.at(10s, ReloadRequested{"HUP", with(task())}).expect_line({"reloading"});
  EXPECT_EQ(state(s), "starting 1");
  s.at(10s, MoldStarted{2, kNewMold});
  s.at(11s, loaded(2));
  s.at(11s, forked(1));
  s.at(12s, ready(1));
  s.at(12s, left(0));
  EXPECT_THAT(s.at(13s, started(1)).actions, Contains("signal 501 by 15"));
}

TEST(ProgramTasks, TheAgeOfOneThatHasNotBeenForkedMeansNothing) {
  config::Program by_age = task();
  by_age.ready = "alive:1s";
  Script s(with(by_age));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, loaded(1));
  s.at(0s, forked(0));
  s.at(2s, ready(0));
  EXPECT_GT(s.next_wakeup(), 10s);
}

TEST(ProgramTasks, NoUpgradeWhileOneIsBeingForked) {
  Script s(with(task()));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, loaded(1));
  s.at(0s, forked(0));
  s.at(1s, ready(0));
  s.at(2s, UpgradeRequested{"USR2"});
  s.at(2s, UpgradeChecked{true, ""});
  EXPECT_FALSE(s.may_upgrade_now());
  s.at(3s, started(1));
  EXPECT_TRUE(s.may_upgrade_now());
}

TEST(ProgramTasks, ASuccessorKnowsTheTasksOfItsMolds) {
  const Script before = running();
  Script s(with(task()), before, 2s);
  s.at(30s, ChildExited{501, {.code = 1, .text = "exit code 1"}}).expect({"launch it[0] as 1 from mold 1"});
}

}  // namespace
}  // namespace serval::supervisor
