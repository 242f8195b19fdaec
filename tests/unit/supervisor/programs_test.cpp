#include "supervisor/programs.hpp"

#include <gmock/gmock.h>

#include <csignal>

#include "base/exit_code.hpp"
#include "program_script.hpp"

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using config::Program;
using config::ProgramReplace;
using config::ProgramRestart;
using Order = ProgramOrdered::Order;

/// That is ready when it says so.
Program program(int count = 1) {
  Program program;
  program.command = {"./it"};
  program.count = count;
  program.ready = "fd";
  program.grace = 10s;
  return program;
}

/// One program, "it", all of whose instances are ready at 1 s.
class One {
 public:
  explicit One(const Program& program) : script(only({{"it", program}})) {
    script.at(0s, Start{});
    for (int id = 1; id <= program.count; ++id) {
      script.at(0s, started(id));
      script.at(1s, is_ready(id));
    }
  }
  /// "0:ready 1:waiting"
  std::string states() const {
    std::string text;
    const Snapshot snapshot = script.snapshot();
    for (const auto& group : snapshot.programs) {
      for (const auto& instance : group.instances)
        text +=
            (text.empty() ? "" : " ") + std::to_string(instance.number) + ":" + std::string(name_of(instance.state));
    }
    return text;
  }
  Script script;
};

TEST(Programs, StartAllInstancesAtOnce) {
  Script s(only({{"a", program(2)}, {"b", program(1)}}));
  s.at(0s, Start{}).expect({"launch a[0] as 1", "launch a[1] as 2", "launch b[0] as 3"});
  EXPECT_FALSE(s.snapshot().readiness.booting && s.snapshot().programs.empty());
}

TEST(Programs, WithoutAnAppTheServerIsReadyWhenTheyAre) {
  Script s(only({{"it", program(2)}}));
  s.at(0s, Start{});
  s.at(0s, started(1));
  s.at(0s, started(2));
  s.at(1s, is_ready(1)).expect({});
  EXPECT_TRUE(s.snapshot().readiness.booting);
  s.at(2s, is_ready(2)).expect({"notify READY=1"});
  EXPECT_FALSE(s.snapshot().readiness.booting);
}

TEST(Programs, OneThatComesAfterAnotherWaitsUntilThatIsReady) {
  Program second = program();
  second.after = {"first"};
  Script s(only({{"first", program()}, {"second", second}}));
  s.at(0s, Start{}).expect({"launch first[0] as 1"});
  s.at(0s, started(1)).expect({});
  s.at(1s, is_ready(1)).expect({"launch second[0] as 2"});
  s.at(1s, started(2));
  // Only the first time: a crash of the first does not concern the second.
  s.at(2s, ends(1, 1)).expect({"launch first[0] as 1"});
}

TEST(Programs, OneThatIsDoneCountsAsReady) {
  Program migration = program();
  migration.restart = ProgramRestart::on_failure;
  Program server = program();
  server.after = {"migration"};
  Script s(only({{"migration", migration}, {"server", server}}));
  s.at(0s, Start{});
  s.at(0s, started(1));
  s.at(1s, ends(1, 0)).expect({"launch server[0] as 2"});
}

TEST(Programs, AfterTheAppMeansItsWorkers) {
  Program mailer = program();
  mailer.after = {"app"};
  Settings with_app = settings(1);
  with_app.programs = {{"mailer", mailer}};
  Script s(with_app);
  s.at(0s, Start{}).expect({"start mold 1"});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, MoldLoaded{1});
  s.at(0s, forked(0));
  const auto step = s.at(1s, ready(0));
  EXPECT_THAT(step.actions, testing::Contains("launch mailer[0] as 1"));
}

TEST(Programs, OneByAgeIsReadyInTime) {
  Program by_age = program();
  by_age.ready = "alive:3s";
  Script s(only({{"it", by_age}}));
  s.at(0s, Start{});
  s.at(0s, started(1));
  EXPECT_EQ(s.next_wakeup(), 3s);
  s.at(3s, tick()).expect({"notify READY=1"});
}

TEST(Programs, OneThatIsNotReadyInTimeIsKilledWithAllThatItHasStarted) {
  Program slow = program();
  slow.ready_timeout = 5s;
  Script s(only({{"it", slow}}));
  s.at(0s, Start{});
  s.at(0s, started(1));
  s.at(5s, tick()).expect({"signal 501 by 9 with all"});
  s.at(5s, ChildExited{501, {.signaled = true, .code = SIGKILL, .text = "SIGKILL"}})
      .expect_line({"error: program ended", "cause=boot_failed", "next=restarting in"});
  EXPECT_THAT(s.snapshot().programs[0].failure, testing::HasSubstr("instance 0 did not become ready"));
}

TEST(Programs, ACrashIsRestartedAtOnceAndThenMoreAndMoreSlowly) {
  One one(program());
  one.script.at(10s, ends(1, 3))
      .expect({"launch it[0] as 1"})
      .expect_line({"program ended", "cause=crash", "how=exit code 3"});
  Clock::duration now = 10s;
  Clock::duration longest = 0s;
  for (int i = 0; i < 12; ++i) {
    one.script.at(now, started(1));
    one.script.at(now, ends(1, 3));
    const auto next = one.script.next_wakeup();
    longest = std::max(longest, next - now);
    now = next;
    EXPECT_THAT(one.script.at(now, tick()).actions, testing::ElementsAre("launch it[0] as 1"));
  }
  EXPECT_GT(longest, 1s);
  EXPECT_LE(longest, 30s);
}

TEST(Programs, GivenUpOneTriesAgainWhenSomebodyStartsIt) {
  Program flapping = program();
  flapping.give_up_after = 2;
  Program other = program();
  Script s(only({{"it", flapping}, {"other", other}}));
  s.at(0s, Start{});
  s.at(0s, started(1));
  s.at(0s, ends(1, 1));
  s.at(1s, tick());
  s.at(1s, started(1));
  s.at(1s, ends(1, 1)).expect({}).expect_line({"next=giving up: serval start it tries again"});
  EXPECT_EQ(s.snapshot().programs[0].instances[0].state, ProgramState::ended);
  s.at(9s, order(Order::start)).expect({"launch it[0] as 1"});
}

TEST(Programs, WhereNothingWillEverRunAgainTheServerEnds) {
  Program job = program();
  job.restart = ProgramRestart::never;
  Script s(only({{"it", job}}));
  s.at(0s, Start{});
  s.at(0s, started(1));
  s.at(1s, ends(1, 0)).expect({"notify READY=1", "notify STOPPING=1", "refuse", "finish 0"});
  Script failing(only({{"it", job}}));
  failing.at(0s, Start{});
  failing.at(0s, started(1));
  EXPECT_THAT(failing.at(1s, ends(1, 7)).actions, testing::Contains("finish 1"));
  job.restart = ProgramRestart::always;
  job.give_up_after = 1;
  Script given_up(only({{"it", job}}));
  given_up.at(0s, Start{});
  given_up.at(0s, started(1));
  EXPECT_THAT(given_up.at(1s, ends(1, 7)).actions, testing::Contains("finish 75"));
}

TEST(Programs, AStoppedOneDoesNotEndTheServer) {
  One one(program());
  one.script.at(2s, order(Order::stop)).expect({"signal 501 by 15"});
  one.script.at(3s, ends(1)).expect({});
  EXPECT_EQ(one.states(), "");
  one.script.at(4s, order(Order::start)).expect({"launch it[0] as 2"});
}

TEST(Programs, HasItsOwnGraceAndIsKilledThen) {
  One one(program());
  one.script.at(2s, order(Order::stop)).expect({"signal 501 by 15"});
  EXPECT_EQ(one.script.next_wakeup(), 12s);
  one.script.at(11s, tick()).expect({});
  one.script.at(12s, tick())
      .expect({"signal 501 by 9 with all"})
      .expect_line({"warning: program does not end in time", "grace_ms=10000"});
  one.script.at(12s, ends(1)).expect_line({"cause=grace_over"});
}

TEST(Programs, WhatAStoppedOneLeavesBehindHasTheRestOfTheGrace) {
  One one(program());
  one.script.at(2s, order(Order::stop));
  one.script.at(5s, ends(1, 0, 2)).expect({"end what 501 left by 12000ms"});
  EXPECT_EQ(one.states(), "0:clearing");
  one.script.at(6s, ProgramCleared{1}).expect({});
  EXPECT_EQ(one.states(), "");
}

TEST(Programs, WhatACrashLeavesBehindIsKilledBeforeTheNextStart) {
  One one(program());
  one.script.at(5s, ends(1, 1, 3)).expect({"end what 501 left by 5000ms"}).expect_line({"left_behind=3"});
  one.script.at(6s, ProgramCleared{1}).expect({"launch it[0] as 1"});
}

TEST(Programs, ScalingUsesFreedNumbersAgain) {
  One one(program(1));
  one.script.at(2s, ProgramScaled{"it", 3, "test"}).expect({"launch it[1] as 2", "launch it[2] as 3"});
  one.script.at(2s, started(2));
  one.script.at(2s, started(3));
  one.script.at(3s, is_ready(2));
  one.script.at(3s, is_ready(3));
  one.script.at(4s, ProgramScaled{"it", 1, "test"}).expect({"signal 502 by 15", "signal 503 by 15"});
  one.script.at(5s, ends(2));
  one.script.at(5s, ends(3));
  EXPECT_EQ(one.states(), "0:ready");
  one.script.at(6s, ProgramScaled{"it", 2, "test"}).expect({"launch it[1] as 4"});
}

TEST(Programs, RollingReplacementStartsFirstAndGoesOneByOne) {
  Program rolling = program(2);
  rolling.listen = {"127.0.0.1:3000"};
  One one(rolling);
  one.script.at(2s, order(Order::replace)).expect({"launch it[0] as 3"});
  one.script.at(2s, started(3)).expect({});
  one.script.at(3s, is_ready(3)).expect({"signal 501 by 15", "launch it[1] as 4"});
  one.script.at(3s, started(4));
  one.script.at(4s, ends(1)).expect({});
  one.script.at(5s, is_ready(4)).expect({"signal 502 by 15"});
  one.script.at(6s, ends(2)).expect({});
  EXPECT_EQ(one.states(), "0:ready 1:ready");
  EXPECT_EQ(one.script.snapshot().programs[0].restarts.at(Cause::manual), 2u);
}

TEST(Programs, AFailedSuccessorLeavesTheOldOnesAlone) {
  Program rolling = program(2);
  rolling.replace = ProgramReplace::rolling;
  One one(rolling);
  one.script.at(2s, order(Order::replace)).expect({"launch it[0] as 3"});
  one.script.at(2s, started(3));
  one.script.at(3s, ends(3, 1)).expect({});
  EXPECT_EQ(one.states(), "0:ready 1:ready");
  EXPECT_THAT(one.script.snapshot().programs[0].failure, testing::HasSubstr("exit code 1"));
  EXPECT_EQ(one.script.next_wakeup(), Clock::duration::max());
}

TEST(Programs, ReplacementByRestartNeverOverlaps) {
  One one(program(2));
  one.script.at(2s, order(Order::replace)).expect({"signal 501 by 15"});
  one.script.at(3s, ends(1)).expect({"launch it[0] as 3"});
  one.script.at(3s, started(3)).expect({});
  one.script.at(4s, is_ready(3)).expect({"signal 502 by 15"});
  one.script.at(5s, ends(2)).expect({"launch it[1] as 4"});
}

TEST(Programs, AReloadChangesOnlyWhatHasChanged) {
  Script s(only({{"gone", program()}, {"new_command", program()}, {"same", program()}, {"supervised", program()}}));
  s.at(0s, Start{});
  for (int id = 1; id <= 4; ++id) {
    s.at(0s, started(id));
    s.at(0s, is_ready(id));
  }
  Program command = program();
  command.command = {"./other"};
  Program supervised = program();
  supervised.grace = 1s;
  s.at(1s,
       ReloadRequested{
           "test",
           only({{"added", program()}, {"new_command", command}, {"same", program()}, {"supervised", supervised}})})
      .expect({"notify RELOADING=1\nMONOTONIC_USEC=1000000", "notify READY=1", "reload done, generation 2",
               "launch added[0] as 5", "signal 501 by 15", "signal 502 by 15"});
  s.at(2s, ends(1)).expect({});
  s.at(2s, ends(2)).expect({"launch new_command[0] as 6"});
  const auto programs = s.snapshot().programs;
  ASSERT_EQ(programs.size(), 4u);
  EXPECT_EQ(programs[0].name, "added");
}

TEST(Programs, ACountThatStaysInTheFileLeavesAScaledNumberAlone) {
  One one(program(1));
  one.script.at(2s, ProgramScaled{"it", 2, "test"}).expect({"launch it[1] as 2"});
  one.script.at(2s, started(2));
  one.script.at(2s, is_ready(2));
  Program other_grace = program(1);
  other_grace.grace = 1s;
  one.script.at(3s, ReloadRequested{"test", only({{"it", other_grace}})});
  EXPECT_EQ(one.states(), "0:ready 1:ready");
}

TEST(Programs, OldAgeReplaces) {
  Program mortal = program();
  mortal.max_lifetime = 1min;
  One one(mortal);
  EXPECT_EQ(one.script.next_wakeup(), 61s);
  one.script.at(61s, tick()).expect({"signal 501 by 15"});
}

TEST(Programs, MemoryCeilings) {
  Program fat = program();
  fat.memory_soft = 100;
  fat.memory_hard = 200;
  One one(fat);
  const auto look = [&](Clock::duration time, std::uint64_t bytes) {
    return one.script.at(time, LookedAtPrograms{{{1, bytes}}});
  };
  one.script.at(2s, tick());
  look(2s, 150).expect({});
  look(3s, 150).expect({});
  look(4s, 150).expect({"signal 501 by 15"});
  look(5s, 250).expect({});
  One other(fat);
  other.script.at(2s, LookedAtPrograms{{{1, 250}}}).expect({});
  other.script.at(3s, LookedAtPrograms{{{1, 250}}}).expect({"signal 501 by 9 with all"});
  other.script.at(3s, ends(1)).expect_line({"cause=memory_hard"});
}

TEST(Programs, AStopEndsThemInTheReverseOrder) {
  Program second = program();
  second.after = {"first"};
  Script s(only({{"first", program()}, {"second", second}}));
  s.at(0s, Start{});
  s.at(0s, started(1));
  s.at(0s, is_ready(1));
  s.at(0s, started(2));
  s.at(0s, is_ready(2));
  s.at(1s, StopRequested{"SIGTERM"}).expect({"notify STOPPING=1", "refuse", "signal 502 by 15"});
  s.at(2s, ends(2)).expect({"signal 501 by 15"});
  s.at(3s, ends(1)).expect({"finish 0"});
}

TEST(Programs, AStopAtOnceKillsAllOfThem) {
  One one(program(2));
  one.script.at(2s, StopRequested{"serval stop --now", true})
      .expect({"notify STOPPING=1", "refuse", "signal 501 by 9 with all", "signal 502 by 9 with all"});
  one.script.at(2s, ends(1));
  one.script.at(2s, ends(2)).expect({"finish 0"});
}

TEST(Programs, SurviveAnUpgradeAsTheyAre) {
  One one(program(2));
  one.script.at(2s, order(Order::stop));
  const State state = one.script.state();
  Script after(only({{"it", program(2)}}), one.script, 3s);
  EXPECT_EQ(after.state().programs, state.programs);
  after.at(12s, tick()).expect({"signal 501 by 9 with all", "signal 502 by 9 with all"});
}

/// However often it dies: what is launched in a second is bounded.
TEST(Programs, AStormIsBounded) {
  Settings wanted = only({{"it", program(100)}});
  Script s(wanted);
  Clock::duration now = 0s;
  int launches = 0;
  auto step = s.at(now, Start{});
  const auto count = [](const Script::Step& done) {
    return std::count_if(done.actions.begin(), done.actions.end(),
                         [](const auto& text) { return text.starts_with("launch"); });
  };
  while (now < 60s) {
    launches += static_cast<int>(count(step));
    std::vector<int> ids;
    for (const auto& text : step.actions) {
      if (text.starts_with("launch")) ids.push_back(std::stoi(text.substr(text.rfind(' ') + 1)));
    }
    if (!ids.empty()) {
      Script::Step all;
      for (const int id : ids) {
        for (const Event& event : {started(id), ends(id, 1)}) {
          for (auto& action : s.at(now, event).actions) all.actions.push_back(action);
        }
      }
      step = all;
      continue;
    }
    now = s.next_wakeup();
    step = s.at(now, tick());
  }
  EXPECT_LE(launches, 220 + 60 * wanted.forks_per_second);
  EXPECT_GT(launches, 300);
}

TEST(Programs, WhatIsRebuiltBeginsAnewWhateverStateItIsIn) {
  Program it = program(2);
  it.give_up_after = 1;
  One one(it);
  one.script.at(2s, ends(2, 1));  // given up
  EXPECT_EQ(one.states(), "0:ready 1:ended");
  one.script.at(3s, order(Order::renew)).expect({"launch it[1] as 3"});
  one.script.at(3s, started(3)).expect({});
  // Still booting, and rebuilt once more: what boots is not it any more.
  one.script.at(4s, order(Order::renew)).expect({"signal 503 by 15"});
  one.script.at(5s, ends(3)).expect({"launch it[1] as 4"});
}

TEST(Programs, OneThatWasStoppedStaysSoWhenItIsRebuilt) {
  One one(program());
  one.script.at(2s, order(Order::stop));
  one.script.at(3s, ends(1));
  one.script.at(4s, order(Order::renew)).expect({});
}

}  // namespace
}  // namespace serval::supervisor
