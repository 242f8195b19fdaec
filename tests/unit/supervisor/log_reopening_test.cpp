#include "supervisor/log_reopening.hpp"

#include <gmock/gmock.h>

#include "stage.hpp"

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LogReopeningTest : public ::testing::Test {
 protected:
  LogReopeningTest() {
    stage.all_serve();
    stage.world.mold().state = MoldState::ready;
  }
  template <class What>
  std::vector<std::string> tell(const What& what) {
    return stage.at(0s, [&](const Turn& turn) {
      reopening.on(what, turn);
      reopening.settle(turn);
    });
  }

  Stage stage{settings(2)};
  LogReopening reopening;
};

TEST_F(LogReopeningTest, IsOverWhenEveryProcessHasSwappedItsFiles) {
  EXPECT_THAT(tell(LogsReopened{}), ElementsAre("reopen mold 1", "reopen worker 0", "reopen worker 1"));
  EXPECT_TRUE(reopening.under_way());
  EXPECT_THAT(tell(WorkerReopened{1}), ElementsAre());
  EXPECT_THAT(tell(MoldReopened{1}), ElementsAre());
  EXPECT_THAT(tell(WorkerReopened{0}), ElementsAre(HasSubstr("logs reopened processes=4")));
  EXPECT_FALSE(reopening.under_way());
}

TEST_F(LogReopeningTest, AnotherOneMeanwhileIsAnsweredTwiceByEachAndSaidOnce) {
  tell(LogsReopened{});
  tell(LogsReopened{});
  for (int answer = 0; answer < 2; ++answer) {
    EXPECT_THAT(tell(WorkerReopened{0}), ElementsAre());
    EXPECT_THAT(tell(WorkerReopened{1}), ElementsAre());
  }
  EXPECT_THAT(tell(MoldReopened{1}), ElementsAre());
  EXPECT_THAT(tell(MoldReopened{1}), ElementsAre(HasSubstr("logs reopened processes=4")));
}

TEST_F(LogReopeningTest, OneThatDiesIsNotWaitedFor) {
  tell(LogsReopened{});
  tell(WorkerReopened{0});
  tell(MoldReopened{1});
  stage.world.slots[1].clear();
  EXPECT_THAT(stage.at(0s, [this](const Turn& turn) { reopening.settle(turn); }),
              ElementsAre(HasSubstr("logs reopened processes=3")));
}

TEST_F(LogReopeningTest, WordsThatNobodyAskedForAreNoMatter) {
  EXPECT_THAT(tell(WorkerReopened{0}), ElementsAre());
  EXPECT_THAT(tell(WorkerReopened{77}), ElementsAre());
  EXPECT_THAT(tell(MoldReopened{9}), ElementsAre());
  EXPECT_FALSE(reopening.under_way());
}

}  // namespace
}  // namespace serval::supervisor
