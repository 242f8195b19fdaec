#include "supervisor/outage.hpp"

#include <gmock/gmock.h>

#include "stage.hpp"

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::StartsWith;

class OutageTest : public ::testing::Test {
 protected:
  std::vector<std::string> settle(Clock::duration time) {
    return stage.at(time, [this](const Turn& turn) { outage.settle(turn); });
  }

  Stage stage{settings(1)};
  Outage outage;
};

TEST_F(OutageTest, IsSaidAfterAMomentAndWhenItIsOver) {
  EXPECT_THAT(settle(0s), ElementsAre());
  EXPECT_EQ(outage.next(), TimePoint{} + 500ms);
  EXPECT_THAT(settle(499ms), ElementsAre());
  EXPECT_THAT(settle(500ms), ElementsAre(StartsWith("error: no worker serves wanted=1")));
  EXPECT_THAT(settle(9s), ElementsAre()) << "once is enough";
  EXPECT_EQ(outage.next(), TimePoint::max());
  stage.serves(0);
  EXPECT_THAT(settle(10s), ElementsAre(StartsWith("info: workers serve again after_ms=10000")));
  EXPECT_THAT(settle(11s), ElementsAre());
}

TEST_F(OutageTest, AShortOneIsNotSaid) {
  settle(0s);
  stage.serves(0);
  EXPECT_THAT(settle(400ms), ElementsAre());
  EXPECT_EQ(outage.next(), TimePoint::max());
}

TEST_F(OutageTest, OneThatLeavesAndStillAcceptsIsNone) {
  stage.serves(0).retire(Cause::manual, TimePoint{}, TimePoint::max());
  EXPECT_THAT(settle(9s), ElementsAre());
  stage.world.slots[0].leave();
  settle(9s);
  EXPECT_EQ(outage.next(), TimePoint{} + 9500ms);
}

}  // namespace
}  // namespace serval::supervisor
