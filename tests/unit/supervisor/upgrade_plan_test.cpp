#include "supervisor/upgrade_plan.hpp"

#include <gmock/gmock.h>

#include "stage.hpp"

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class UpgradePlanTest : public ::testing::Test {
 protected:
  UpgradePlanTest() { stage.all_serve(); }
  template <class What>
  std::vector<std::string> tell(Clock::duration time, const What& what, const std::string& busy_with = "") {
    return stage.at(time, [&](const Turn& turn) {
      plan.on(what, turn);
      plan.settle(busy_with, turn);
    });
  }
  std::vector<std::string> settle(Clock::duration time, const std::string& busy_with = "") {
    return stage.at(time, [&](const Turn& turn) { plan.settle(busy_with, turn); });
  }

  Stage stage{settings(1)};
  UpgradePlan plan;
};

TEST_F(UpgradePlanTest, TheNewProgramIsCheckedFirst) {
  EXPECT_THAT(tell(0s, UpgradeRequested{"USR2"}), ElementsAre(HasSubstr("upgrade asked for"), "check upgrade"));
  EXPECT_FALSE(plan.checked());
  EXPECT_THAT(tell(1s, UpgradeRequested{"USR2"}), ElementsAre()) << "it is under way";
  tell(2s, UpgradeChecked{.good = true, .why = ""});
  EXPECT_TRUE(plan.checked());
  EXPECT_EQ(plan.next(), TimePoint{} + 60s);
}

TEST_F(UpgradePlanTest, OneThatCannotTakeOverIsRefused) {
  tell(0s, UpgradeRequested{"USR2"});
  EXPECT_THAT(tell(1s, UpgradeChecked{.good = false, .why = "it is older"}),
              ElementsAre(HasSubstr("upgrade refused, going on as before why=it is older"), HasSubstr("it is older")));
  EXPECT_EQ(plan.next(), TimePoint::max());
}

TEST_F(UpgradePlanTest, WithoutACalmMomentItIsRefusedAfterAMinute) {
  tell(0s, UpgradeRequested{"USR2"}, "a reload is under way");
  EXPECT_THAT(settle(59s, "a reload is under way"), ElementsAre());
  EXPECT_THAT(settle(60s, "a reload is under way"),
              ElementsAre(HasSubstr("a reload is under way"), HasSubstr("a reload is under way")));
}

TEST_F(UpgradePlanTest, AServerThatBootsOrStopsRefuses) {
  stage.world.phase = Phase::booting;
  EXPECT_THAT(tell(0s, UpgradeRequested{"USR2"}), ElementsAre(HasSubstr("still booting")));
  stage.world.phase = Phase::running;
  tell(0s, UpgradeRequested{"USR2"});
  stage.world.phase = Phase::stopping;
  EXPECT_THAT(settle(1s), ElementsAre(HasSubstr("upgrade refused"), HasSubstr("stopping")));
}

TEST_F(UpgradePlanTest, AnAnswerThatNobodyAskedForIsNoMatter) {
  EXPECT_THAT(tell(0s, UpgradeChecked{.good = true, .why = ""}), ElementsAre());
  EXPECT_FALSE(plan.checked());
}

}  // namespace
}  // namespace serval::supervisor
