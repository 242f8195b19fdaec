#include "worker/placement/load_shedding.hpp"

#include "fleet.hpp"
#include "scoreboard/reader.hpp"

namespace serval::worker::placement::test {
namespace {

class LoadSheddingTest : public Fleet {
 protected:
  int given_away() {
    int count = 0;
    while (shedding.gives_away()) ++count;
    return count;
  }
  int connections = 32;
  LoadShedding shedding{board(), fleet, [this] { return connections; }};
};

TEST_F(LoadSheddingTest, ALoopThatKeepsUpGivesNothing) {
  serves_at_ease(2);
  shedding.on_load(false, true);
  EXPECT_EQ(given_away(), 0);
}

TEST_F(LoadSheddingTest, AnOverloadedOneGivesSomeOnceForEachTimeThatItIsFoundSo) {
  serves_at_ease(2);
  shedding.on_load(true, true);
  EXPECT_EQ(given_away(), 2);
  EXPECT_EQ(given_away(), 0);
  shedding.on_load(true, true);
  EXPECT_EQ(given_away(), 2);
}

TEST_F(LoadSheddingTest, NothingIsGivenWhereThereIsNoWay) {
  serves_at_ease(2);
  shedding.on_load(true, false);
  EXPECT_EQ(given_away(), 0);
}

TEST_F(LoadSheddingTest, NothingIsGivenIfNobodyIsAtEase) {
  shedding.on_load(true, true);
  EXPECT_EQ(given_away(), 0);
}

TEST_F(LoadSheddingTest, TheScoreboardSaysWhatWasFound) {
  const FleetView of_another(memory, 2, kThreads, kCpus);
  shedding.on_load(true, false);
  EXPECT_EQ(of_another.others(Clock::now()).overloaded, 1);
  shedding.on_load(false, false);
  EXPECT_EQ(of_another.others(Clock::now()).overloaded, 0);
}

}  // namespace
}  // namespace serval::worker::placement::test
