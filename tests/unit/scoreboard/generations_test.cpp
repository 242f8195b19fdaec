#include "scoreboard/generations.hpp"

#include <gtest/gtest.h>

#include "scoreboard/writer.hpp"

namespace serval::scoreboard {
namespace {

using namespace std::chrono_literals;

struct GenerationsTest : testing::Test {
  void begin(int slot, int generation) { WorkerBoard(memory, slot).begin(generation, 100 + slot, TimePoint{1s}); }
  void answer(int slot, int status, Clock::duration duration = 1ms) {
    WorkerBoard(memory, slot).count({.status = status, .duration = duration});
  }
  GenerationTotals totals(int generation) const { return read_generation(memory, generation); }

  Memory memory = std::move(Memory::create({4, 2}).value());
};

TEST_F(GenerationsTest, EachHasWhatItsOwnWorkersHaveAnswered) {
  begin(0, 1);
  begin(1, 1);
  begin(2, 2);
  answer(0, 200);
  answer(1, 404);
  answer(1, 500);
  answer(2, 503);
  EXPECT_EQ(totals(1).requests(), 3U);
  EXPECT_EQ(totals(1).errors(), 1U);
  EXPECT_EQ(totals(1).answers[3], 1U);
  EXPECT_EQ(totals(2).requests(), 1U);
  EXPECT_EQ(totals(2).errors(), 1U);
  EXPECT_EQ(totals(3).requests(), 0U);
}

TEST_F(GenerationsTest, WorkersThatHaveEndedStillCount) {
  begin(0, 1);
  answer(0, 200);
  end_life(memory, 0, 1, 2);
  EXPECT_EQ(totals(1).requests(), 3U);
  EXPECT_EQ(totals(1).errors(), 2U);
  begin(0, 2);  // in the same slot, whose counters go on
  answer(0, 500);
  EXPECT_EQ(totals(1).requests(), 3U);
  EXPECT_EQ(totals(2).requests(), 1U);
  end_life(memory, 0, 2, 0);
  begin(0, 1);
  answer(0, 200);
  EXPECT_EQ(totals(1).requests(), 4U);
  EXPECT_EQ(totals(2).requests(), 1U);
  EXPECT_EQ(totals(2).errors(), 1U);
}

TEST_F(GenerationsTest, AWorkerThatNeverBeganLeavesNothing) {
  end_life(memory, 0, 1, 0);
  EXPECT_EQ(totals(1).requests(), 0U);
}

TEST_F(GenerationsTest, ALaterOneTakesThePlaceOfAnEarlierOne) {
  for (int generation = 1; generation <= layout::kGenerations + 1; ++generation) {
    begin(0, generation);
    answer(0, 200);
    end_life(memory, 0, generation, 0);
  }
  EXPECT_EQ(totals(1).requests(), 0U);
  EXPECT_EQ(totals(2).requests(), 1U);
  EXPECT_EQ(totals(layout::kGenerations + 1).requests(), 1U);
}

TEST_F(GenerationsTest, WhatIsScribbledThereIsNoLessThanNothing) {
  begin(0, 1);
  answer(0, 200);
  end_life(memory, 0, 1, 0);
  begin(0, 1);
  memory.cells(0).answers[100].store(0);  // status 200
  EXPECT_EQ(totals(1).requests(), 1U);
}

TEST_F(GenerationsTest, DurationsAreCountedByGeneration) {
  begin(0, 1);
  for (int i = 0; i < 90; ++i) answer(0, 200, 1ms);
  for (int i = 0; i < 10; ++i) answer(0, 200, 90ms);
  end_life(memory, 0, 1, 0);
  begin(0, 2);
  answer(0, 200, 2s);
  EXPECT_NEAR(quantile(totals(1).durations, 0.5), 0.00078, 0.0001);
  EXPECT_NEAR(quantile(totals(1).durations, 0.95), 0.075, 0.001);
  EXPECT_GT(quantile(totals(2).durations, 0.95), 1.0);
}

TEST(Quantile, OfNothingAndOfWhatIsBeyondAllBounds) {
  EXPECT_EQ(quantile({}, 0.95), 0);
  HistogramTotals slow;
  slow.counts.back() = 5;
  EXPECT_EQ(quantile(slow, 0.95), kBounds.back());
}

}  // namespace
}  // namespace serval::scoreboard
