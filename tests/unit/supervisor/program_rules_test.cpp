#include "supervisor/program_rules.hpp"

#include <gmock/gmock.h>

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using config::Program;
using config::ProgramRestart;

Exit by_code(int code) { return {.code = code, .text = "exit code " + std::to_string(code)}; }
Exit by_signal(int number) { return {.signaled = true, .code = number, .text = "signal"}; }

TEST(ProgramRules, WhatFollowsAnEnd) {
  struct Row {
    ProgramRestart restart;
    std::vector<int> stop_codes;
    Exit exit;
    AfterEnd follows;
  };
  const Row rows[] = {
      {ProgramRestart::always, {}, by_code(0), AfterEnd::restart},
      {ProgramRestart::always, {}, by_code(3), AfterEnd::restart},
      {ProgramRestart::always, {}, by_signal(9), AfterEnd::restart},
      {ProgramRestart::always, {0}, by_code(0), AfterEnd::succeeded},
      {ProgramRestart::always, {3, 4}, by_code(4), AfterEnd::succeeded},
      {ProgramRestart::always, {9}, by_signal(9), AfterEnd::restart},
      {ProgramRestart::on_failure, {}, by_code(0), AfterEnd::succeeded},
      {ProgramRestart::on_failure, {}, by_code(1), AfterEnd::restart},
      {ProgramRestart::on_failure, {1}, by_code(1), AfterEnd::succeeded},
      {ProgramRestart::on_failure, {}, by_signal(15), AfterEnd::restart},
      {ProgramRestart::never, {}, by_code(0), AfterEnd::succeeded},
      {ProgramRestart::never, {}, by_code(1), AfterEnd::failed},
      {ProgramRestart::never, {1}, by_code(1), AfterEnd::succeeded},
      {ProgramRestart::never, {}, by_signal(11), AfterEnd::failed},
  };
  for (const Row& row : rows) {
    Program program;
    program.restart = row.restart;
    program.stop_codes = row.stop_codes;
    EXPECT_EQ(after_end(program, row.exit), row.follows) << row.exit.text << " at row " << &row - rows;
  }
}

TEST(ProgramRules, GivesUpAfterSoManyFailuresIfToldTo) {
  Program program;
  EXPECT_FALSE(gives_up(program, 1000));
  program.give_up_after = 3;
  EXPECT_FALSE(gives_up(program, 2));
  EXPECT_TRUE(gives_up(program, 3));
}

TEST(ProgramRules, OnlyWhatALaunchNeedsMakesInstancesOutdated) {
  Program before;
  before.command = {"./mailer"};
  const auto changed = [&](auto change) {
    Program after = before;
    change(after);
    return !same_when_launched(before, after);
  };
  EXPECT_TRUE(changed([](Program& program) { program.command.emplace_back("--fast"); }));
  EXPECT_TRUE(changed([](Program& program) { program.env["A"] = "b"; }));
  EXPECT_TRUE(changed([](Program& program) { program.file_env["A"] = "b"; }));
  EXPECT_TRUE(changed([](Program& program) { program.log = "/var/log/it"; }));
  before.env["A"] = "b";
  EXPECT_FALSE(changed([](Program& program) { program.file_env["A"] = "c"; })) << "the table wins";
  EXPECT_FALSE(changed([](Program& program) { program.env_file = {"x"}; })) << "what it has counts";
  EXPECT_TRUE(changed([](Program& program) { program.working_directory = "/"; }));
  EXPECT_TRUE(changed([](Program& program) { program.user = "mail"; }));
  EXPECT_TRUE(changed([](Program& program) { program.limits["core"] = "0"; }));
  EXPECT_TRUE(changed([](Program& program) { program.listen = {"127.0.0.1:1"}; }));
  EXPECT_FALSE(changed([](Program& program) { program.count = 7; }));
  EXPECT_FALSE(changed([](Program& program) { program.grace = 1s; }));
  EXPECT_FALSE(changed([](Program& program) { program.restart = ProgramRestart::never; }));
  EXPECT_FALSE(changed([](Program& program) { program.memory_hard = 1; }));
  EXPECT_FALSE(changed([](Program& program) { program.after = {"db"}; }));
}

ProgramInstanceRecord instance(int number, ProgramState state, Cause cause = Cause::none) {
  ProgramInstanceRecord record;
  record.number = number;
  record.state = state;
  record.cause = cause;
  return record;
}

TEST(ProgramRules, IsUpWhenEachWantedInstanceIsReadyOrDone) {
  ProgramGroupRecord group{.wanted = 2};
  group.instances = {instance(0, ProgramState::ready), instance(1, ProgramState::starting)};
  EXPECT_FALSE(is_up(group));
  group.instances[1].state = ProgramState::ready;
  EXPECT_TRUE(is_up(group));
  group.instances[1].state = ProgramState::ended;
  EXPECT_FALSE(is_up(group)) << "it has failed for good";
  group.instances[1].good = true;
  EXPECT_TRUE(is_up(group)) << "a migration that is done";
  group.on = false;
  EXPECT_FALSE(is_up(group));
}

TEST(ProgramRules, IsSettledWhenNothingIsUnderWay) {
  ProgramGroupRecord group{.wanted = 1};
  EXPECT_FALSE(is_settled(group)) << "it has not begun";
  group.instances = {instance(0, ProgramState::ready)};
  EXPECT_TRUE(is_settled(group));
  group.instances[0].cause = Cause::reload;
  EXPECT_FALSE(is_settled(group)) << "it is due";
  group.instances = {instance(0, ProgramState::ended)};
  EXPECT_TRUE(is_settled(group));
  for (const ProgramState state :
       {ProgramState::waiting, ProgramState::starting, ProgramState::stopping, ProgramState::clearing}) {
    group.instances = {instance(0, state)};
    EXPECT_FALSE(is_settled(group)) << name_of(state);
  }
  group.instances.clear();
  group.on = false;
  EXPECT_TRUE(is_settled(group));
}

TEST(ProgramRules, NamesWhatItWaitsFor) {
  ProgramGroupRecord database{.wanted = 1};
  const auto is_program_up = [&](const std::string& name) { return name == "database" && is_up(database); };
  Program program;
  program.after = {"app", "database"};
  EXPECT_THAT(waits_for(program, false, is_program_up), testing::ElementsAre("app", "database"));
  database.instances = {instance(0, ProgramState::ready)};
  EXPECT_THAT(waits_for(program, false, is_program_up), testing::ElementsAre("app"));
  EXPECT_THAT(waits_for(program, true, is_program_up), testing::IsEmpty());
}

}  // namespace
}  // namespace serval::supervisor
