#include "master/reaper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace serval::master {
namespace {

using testing::ElementsAre;

os::ChildExit exit_of(pid_t pid) {
  os::ChildExit exit;
  exit.pid = pid;
  return exit;
}

struct ReaperTest : testing::Test {
  /// Notes the end under that name.
  Reaper::OnExit note(const std::string& name) {
    return [this, name](const os::ChildExit& exit) { ends.push_back(name + " " + std::to_string(exit.pid)); };
  }

  std::vector<std::string> ends;
  Reaper reaper{note("stranger")};
};

TEST_F(ReaperTest, ToldByPidWhatHasEnded) {
  reaper.await(100, note("mold"));
  reaper.await(200, note("worker"));
  reaper.deliver(exit_of(200));
  reaper.deliver(exit_of(300));
  reaper.deliver(exit_of(100));
  EXPECT_THAT(ends, ElementsAre("worker 200", "stranger 300", "mold 100"));
}

TEST_F(ReaperTest, TellsOnceSinceThePidIsFreeAfterThat) {
  reaper.await(100, note("worker"));
  reaper.deliver(exit_of(100));
  reaper.deliver(exit_of(100));
  EXPECT_THAT(ends, ElementsAre("worker 100", "stranger 100"));
}

TEST_F(ReaperTest, OneThatIsForgottenIsAStranger) {
  reaper.await(100, note("check"));
  reaper.forget(100);
  reaper.forget(100);
  reaper.deliver(exit_of(100));
  EXPECT_THAT(ends, ElementsAre("stranger 100"));
}

TEST_F(ReaperTest, ACallMayAwaitTheNextProcessWithTheSamePid) {
  reaper.await(100, [&](const os::ChildExit&) { reaper.await(100, note("second")); });
  reaper.deliver(exit_of(100));
  reaper.deliver(exit_of(100));
  EXPECT_THAT(ends, ElementsAre("second 100"));
}

}  // namespace
}  // namespace serval::master
