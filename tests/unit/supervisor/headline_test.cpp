#include "supervisor/headline.hpp"

#include <gtest/gtest.h>

#include "stage.hpp"

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

class HeadlineTest : public ::testing::Test {
 protected:
  std::string line(const std::string& reload_failure = "") {
    Readiness readiness;
    readiness.serving = stage.world.slots.count([](const Slot& slot) { return slot.serving(); });
    readiness.draining = drained;
    return headline(stage.world, programs, readiness, reload_failure, TimePoint{} + 1h);
  }

  Stage stage{settings(2)};
  bool drained = false;
  Programs::Count programs;
};

TEST_F(HeadlineTest, OfAServerThatBootsServesAndStops) {
  EXPECT_EQ(line(), "loading the app");
  stage.world.mold().state = MoldState::ready;
  EXPECT_EQ(line(), "0 of 2 workers serve, generation 1");
  stage.all_serve();
  EXPECT_EQ(line(), "2 of 2 workers serve, generation 1");
  stage.world.phase = Phase::stopping;
  EXPECT_EQ(line(), "stopping: 2 workers drain");
  stage.world.slots[0].clear();
  EXPECT_EQ(line(), "stopping: 1 worker drains");
  stage.world.slots[1].clear();
  EXPECT_EQ(line(), "stopping");
}

TEST_F(HeadlineTest, OfSchedules) {
  stage.all_serve();
  programs = {.scheduled = 2};
  stage.world.settings.has_app = false;
  EXPECT_EQ(line().substr(0, 20), "2 programs scheduled");
  programs.wanted = 1;
  EXPECT_EQ(line().substr(0, 42), "0 of 1 programs run, 2 programs scheduled");
}

TEST_F(HeadlineTest, CanariesComeOnTop) {
  stage.all_serve();
  stage.world.settings.workers = 1;
  EXPECT_EQ(line(), "2 workers serve, 1 wanted, generation 1");
}

TEST_F(HeadlineTest, OfPrograms) {
  programs = {.ready = 2, .wanted = 3, .running = 3};
  stage.all_serve();
  EXPECT_EQ(line(), "2 of 2 workers serve, generation 1; 2 of 3 programs run");
  stage.world.settings.has_app = false;
  EXPECT_EQ(line().substr(0, 21), "2 of 3 programs run");
  stage.world.phase = Phase::stopping;
  for (Slot& slot : stage.world.slots) slot.clear();
  EXPECT_EQ(line(), "stopping: 3 programs left");
}

TEST_F(HeadlineTest, SaysWhateverIsNotAsUsual) {
  stage.all_serve();
  drained = true;
  stage.world.rollout = RolloutInHand{.from = 1, .to = 2};
  EXPECT_EQ(line("no such file\nhint: build it"),
            "2 of 2 workers serve, generation 1; reloading: loading generation 2; not ready: draining (serval drain); "
            "the last reload failed: no such file");
  stage.world.rollout->step = RolloutInHand::Step::canary;
  EXPECT_NE(line().find("; reloading: the first worker of generation 2 boots"), std::string::npos);
  stage.world.rollout->step = RolloutInHand::Step::rolling;
  EXPECT_NE(line().find("; reloading: workers of generation 2 take over"), std::string::npos);
}

TEST_F(HeadlineTest, AnAppsOwnWordsAreOneShortLine) {
  stage.all_serve();
  const std::string text = line("bad \x1b[2J word " + std::string(1000, 'x'));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_LT(text.size(), 400U);
}

TEST_F(HeadlineTest, ItIsBusyUntilWhatIsUnderWayMustHaveEnded) {
  stage.all_serve();
  EXPECT_EQ(busy_until(stage.world), TimePoint::min());
  stage.world.leaves_at = TimePoint{} + 5s;
  EXPECT_EQ(busy_until(stage.world), TimePoint{} + 5s);
  stage.world.phase = Phase::stopping;
  EXPECT_EQ(busy_until(stage.world), TimePoint::min()) << "nothing has a deadline";
  stage.world.slots[0].retire(Cause::stop, TimePoint{}, TimePoint{} + 30s);
  EXPECT_EQ(busy_until(stage.world), TimePoint{} + 30s);
}

}  // namespace
}  // namespace serval::supervisor
