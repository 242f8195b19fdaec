#include "master/reload_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace serval::master {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

config::Reading reading_of(const config::Config& config) {
  return {.config = config, .problems = {}, .file = {}, .real_file = {}};
}

std::string why_not(const config::Config& running, const Result<config::Reading>& read) {
  const auto may = may_replace(running, read);
  return may ? "" : may.error();
}

TEST(MayReplace, TakesWhatRunningProcessesOrANewGenerationCanDo) {
  config::Config next;
  next.workers.threads = 9;
  next.log.level = config::LogLevel::debug;
  EXPECT_EQ(why_not({}, reading_of(next)), "");
  EXPECT_EQ(why_not({}, reading_of({})), "");
}

TEST(MayReplace, RefusesWhatCouldNotBeReadOrIsNotValid) {
  EXPECT_EQ(why_not({}, Error{"the reader ended: SIGSEGV"}), "the reader ended: SIGSEGV");
  config::Reading wrong = reading_of({});
  wrong.problems = "x.toml:1:1: no such option";
  EXPECT_EQ(why_not({}, wrong), "x.toml:1:1: no such option");
}

TEST(MayReplace, NamesEverythingThatOnlyANewMasterCanChange) {
  config::Config running, next;
  running.server.name = "shop";
  next.server.name = "store";
  next.server.pidfile = "/run/x.pid";
  next.workers.threads = 9;
  const std::string why = why_not(running, reading_of(next));
  EXPECT_THAT(why, HasSubstr("server.name cannot change without a restart (from shop to store)"));
  EXPECT_THAT(why, HasSubstr("; server.pidfile cannot change"));
  EXPECT_THAT(why, Not(HasSubstr("workers.threads")));
}

TEST(MayReplace, SaysHowToKeepANameThatTheLibraryHasChanged) {
  config::Config running, next;
  running.server.name = "shop";
  next.server.name = "shop-v2";
  EXPECT_THAT(why_not(running, reading_of(next)), Not(HasSubstr("keeps it")));
  running.app.library = "/srv/libshop.so";
  next.app.library = "/srv/libshop-v2.so";
  EXPECT_EQ(why_not(running, reading_of(next)),
            "server.name cannot change without a restart (from shop to shop-v2), which is the name of app.library: "
            "name = \"shop\" under [server] keeps it");
}

Generation with(int threads, const std::string& file) {
  config::Config config;
  config.workers.threads = threads;
  return {.config = std::make_shared<const config::Config>(config), .logs = {}, .listeners = {}, .config_file = file};
}

TEST(ReloadReportOf, SaysWhatIsDifferentSince) {
  Generations generations(with(1, "/srv/1/x.toml"));
  generations.begin(1);
  generations.note_build(1, "old");
  generations.begin_reload(with(2, "/srv/2/x.toml"), 1);
  generations.begin(2);
  generations.note_build(2, "new");

  const ReloadReport report = report_of({.generation = 2, .good = true, .why = {}}, generations);
  ASSERT_EQ(report.changes.size(), 1U);
  EXPECT_EQ(report.changes[0].key, "workers.threads");
  EXPECT_EQ(report.build_before, "old");
  EXPECT_EQ(report.build, "new");
  EXPECT_EQ(report.config_file_before, "/srv/1/x.toml");
  EXPECT_EQ(report.config_file, "/srv/2/x.toml");
}

TEST(ReloadReportOf, OneThatFailedHasChangedNothing) {
  Generations generations(with(1, "/srv/1/x.toml"));
  generations.begin(1);
  generations.begin_reload(with(2, "/srv/2/x.toml"), 1);
  const ReloadReport report = report_of({.generation = 1, .good = false, .why = "it crashed"}, generations);
  EXPECT_THAT(report.changes, IsEmpty());
  EXPECT_EQ(report.config_file, "");
  EXPECT_EQ(report.ended.why, "it crashed");
}

TEST(ReloadReportOf, AnAppThatWasLoadedAnewHasTheSameConfiguration) {
  Generations generations(with(1, "/srv/1/x.toml"));
  generations.begin(2);
  generations.note_build(2, "new");
  const ReloadReport report = report_of({.generation = 2, .good = true, .why = {}}, generations);
  EXPECT_THAT(report.changes, IsEmpty());
  EXPECT_EQ(report.build, "new");
  EXPECT_EQ(report.config_file_before, "/srv/1/x.toml");
  EXPECT_EQ(report.config_file, "/srv/1/x.toml");
}

struct ReloadWaitersTest : testing::Test {
  ReloadDone note(const std::string& name) {
    return [this, name](const ReloadReport& report) {
      told.push_back(name + " " + std::to_string(report.ended.generation));
    };
  }
  static ReloadReport generation(int number) { return {.ended = {.generation = number, .good = true, .why = {}}}; }

  std::vector<std::string> told;
  ReloadWaiters waiters;
};

TEST_F(ReloadWaitersTest, EachIsToldOfTheReloadThatItWaitsFor) {
  waiters.wait_for_this(note("first"));
  waiters.wait_for_next(note("second"));
  waiters.wait_for_next(note("third"));
  waiters.tell(generation(2));
  EXPECT_THAT(told, ElementsAre("first 2"));

  waiters.wait_for_this(waiters.take_next());
  waiters.tell(generation(3));
  EXPECT_THAT(told, ElementsAre("first 2", "second 3", "third 3"));
  waiters.tell(generation(4));
  EXPECT_EQ(told.size(), 3U) << "each is told once";
}

TEST_F(ReloadWaitersTest, OneThatIsToldMayWaitAgain) {
  waiters.wait_for_this([&](const ReloadReport&) { waiters.wait_for_this(note("again")); });
  waiters.tell(generation(2));
  EXPECT_THAT(told, IsEmpty());
  waiters.tell(generation(3));
  EXPECT_THAT(told, ElementsAre("again 3"));
}

}  // namespace
}  // namespace serval::master
