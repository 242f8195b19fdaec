#include "worker/placement/policy.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace serval::worker::placement {
namespace {

using namespace std::chrono_literals;

constexpr Siblings siblings(int with_headroom, int overloaded = 0) {
  return {.with_headroom = with_headroom, .overloaded = overloaded};
}

TEST(PlacementPolicy, WhoAcceptsANewConnection) {
  constexpr bool kSaturated = true;
  const struct {
    const char* rule;
    Siblings before;
    bool saturated;
    int cpus;
    Accept wanted;
  } rows[] = {
      {"the worker in the lowest slot while it is at ease", siblings(0), false, 2, Accept::now},
      {"nobody else while that one is", siblings(1), false, 2, Accept::soon},
      {"the next one as well when that one is not", siblings(0, 1), false, 2, Accept::now},
      {"no more loops than CPUs come in for overloaded ones", siblings(0, 2), false, 2, Accept::soon},
      {"with one CPU another loop helps nobody", siblings(0, 1), false, 1, Accept::soon},
      {"one that has no thread free leaves it to others, even as the first", siblings(0), kSaturated, 2, Accept::soon},
      {"or after a sibling at ease", siblings(1), kSaturated, 2, Accept::soon},
      {"as many siblings at ease as CPUs are near", siblings(2), false, 2, Accept::soon},
      {"who is far down the order looks seldom", siblings(3), false, 2, Accept::much_later},
      {"and no oftener if it is saturated", siblings(3), kSaturated, 2, Accept::much_later},
  };
  for (const auto& row : rows) EXPECT_EQ(accept(row.before, row.saturated, row.cpus), row.wanted) << row.rule;
}

TEST(PlacementPolicy, FarIsSeldomerThanNear) { EXPECT_GT(kFarBetweenLooks, kBetweenLooks); }

// ---- Looks

TEST(PlacementLooks, WhatWaitsAtThreeLooksInARowIsOursAtTheFourth) {
  Looks looks;
  for (int look = 1; look <= 3; ++look) EXPECT_FALSE(looks.found(0, false)) << look;
  EXPECT_TRUE(looks.found(0, false));
}

TEST(PlacementLooks, WhereNoSiblingHasHeadroomTheSecondLookIsEnough) {
  Looks looks;
  EXPECT_FALSE(looks.found(0, true));
  EXPECT_TRUE(looks.found(0, true));
}

TEST(PlacementLooks, OneThatHelpsGoesOnHelping) {
  Looks looks;
  for (int look = 1; look <= 3; ++look) looks.found(0, false);
  EXPECT_TRUE(looks.found(0, false));
  EXPECT_TRUE(looks.found(0, false));
}

TEST(PlacementLooks, ASiblingThatTakesSomeIsLeftAlone) {
  Looks looks;
  for (std::uint64_t taken = 1; taken < 20; ++taken) EXPECT_FALSE(looks.found(taken, false));
  EXPECT_FALSE(looks.found(19, false));
  EXPECT_FALSE(looks.found(19, false)) << "that was the third one";
  EXPECT_TRUE(looks.found(19, false)) << "it has stopped";
}

TEST(PlacementLooks, AnEmptyQueueStartsThemOver) {
  Looks looks;
  for (int look = 1; look <= 3; ++look) looks.found(0, false);
  looks.start_over();
  for (int look = 1; look <= 3; ++look) EXPECT_FALSE(looks.found(0, false)) << look;
  EXPECT_TRUE(looks.found(0, false));
}

// ---- Connections of an overloaded loop

TEST(PlacementPolicy, HowManyConnectionsAnOverloadedLoopGives) {
  const struct {
    const char* rule;
    int connections;
    Siblings others;
    int cpus;
    int wanted;
  } rows[] = {
      {"one in sixteen", 160, siblings(1), 2, 10},
      {"rounded down", 47, siblings(1), 2, 2},
      {"one at least", 5, siblings(1), 2, 1},
      {"never the only one", 1, siblings(1), 2, 0},
      {"two are enough to give one", 2, siblings(1), 2, 1},
      {"none if nobody is at ease", 160, siblings(0), 2, 0},
      {"none without a CPU for another loop", 160, siblings(1, 1), 2, 0},
      {"none on one CPU", 160, siblings(1), 1, 0},
      {"with more CPUs also beside other overloaded ones", 160, siblings(1, 2), 4, 10},
      {"as long as one CPU is left", 160, siblings(1, 3), 4, 0},
      {"none of none", 0, siblings(1), 2, 0},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(connections_to_give(row.connections, row.others, row.cpus), row.wanted) << row.rule;
  }
}

// ---- Connections while two generations are compared

TEST(PlacementPolicy, WhatIsDrawnForTheOtherGeneration) {
  const Comparison comparison{.generation = 7, .permille = 200};
  EXPECT_TRUE(changes_sides(comparison, 6, 0.19));
  EXPECT_FALSE(changes_sides(comparison, 6, 0.2));
  EXPECT_TRUE(changes_sides(comparison, 7, 0.79)) << "the newer one keeps no more than its part";
  EXPECT_FALSE(changes_sides(comparison, 7, 0.8));
  EXPECT_FALSE(changes_sides({.generation = 7, .permille = 0}, 6, 0.0));
}

TEST(PlacementPolicy, ConnectionsSpreadAsWorkersDo) {
  const Comparison comparison{.generation = 2, .permille = 200};
  EvenDraws of_old(0);
  EvenDraws of_new(1);
  for (const int connections : {2, 3, 10}) {
    std::vector<int> at(static_cast<std::size_t>(connections), 1);
    int served_by_new = 0;
    constexpr int kRounds = 500;
    for (int round = 0; round < kRounds; ++round) {
      for (int& generation : at) {
        if (changes_sides(comparison, generation, (generation == 1 ? of_old : of_new).next()))
          generation = 3 - generation;
        if (generation == 2) ++served_by_new;
      }
    }
    EXPECT_NEAR(static_cast<double>(served_by_new) / (kRounds * connections), 0.2, 0.05) << connections;
  }
}

TEST(PlacementPolicy, DrawsAreEvenFromTheFirst) {
  for (int seed = 0; seed < 40; ++seed) {
    EvenDraws draws(seed);
    int low = 0;
    for (int i = 0; i < 10; ++i) {
      const double draw = draws.next();
      ASSERT_GE(draw, 0);
      ASSERT_LT(draw, 1);
      if (draw < 0.2) ++low;
    }
    EXPECT_GE(low, 1) << seed;
    EXPECT_LE(low, 4) << seed;
  }
}

// ---- Requests that wait for a thread

TEST(PlacementPolicy, WhenWaitingForAThreadIsInVain) {
  EXPECT_FALSE(hopeless({.threads = 2, .busy_for_long = 0}));
  EXPECT_FALSE(hopeless({.threads = 2, .busy_for_long = 1})) << "the other one may be free in a moment";
  EXPECT_TRUE(hopeless({.threads = 2, .busy_for_long = 2}));
}

TEST(PlacementPolicy, WhichRequestsMove) {
  const OwnThreads quick{.threads = 2, .busy_for_long = 1};
  const OwnThreads slow{.threads = 2, .busy_for_long = 2};
  EXPECT_FALSE(should_move(0ms, quick));
  EXPECT_FALSE(should_move(kWorthWaiting - 1ns, quick));
  EXPECT_TRUE(should_move(kWorthWaiting, quick));
  EXPECT_TRUE(should_move(0ms, slow)) << "it would wait in vain";
}

}  // namespace
}  // namespace serval::worker::placement
