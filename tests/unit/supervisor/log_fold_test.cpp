#include "supervisor/log_fold.hpp"

#include <gtest/gtest.h>

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

Log line(int slot, const std::string& cause = "crash") {
  return {log::Level::error, "worker died", {{"slot", slot}, {"cause", cause}}};
}

std::string value(const Log& line, std::string_view key) {
  for (const log::Field& field : line.fields) {
    if (field.key == key) return field.text;
  }
  return "";
}

std::string folded(const Log& line) { return value(line, "folded"); }

TEST(LogFold, LetsTheFirstOnesPassAndCountsTheRest) {
  LogFold fold(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(fold.pass(line(i), TimePoint(0s)).has_value());
  for (int i = 3; i < 10; ++i) EXPECT_FALSE(fold.pass(line(i), TimePoint(1s)).has_value());
  EXPECT_EQ(fold.next(), TimePoint(10s));
  EXPECT_TRUE(fold.due(TimePoint(9s)).empty());
  const auto told = fold.due(TimePoint(10s));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].sentence, "worker died");
  EXPECT_EQ(told[0].fields[0].text, "9") << "the last of them";
  EXPECT_EQ(folded(told[0]), "7");
}

TEST(LogFold, AStormStaysOneLineInAWindowUntilItIsOver) {
  LogFold fold(2);
  int passed = 0;
  int told = 0;
  for (int ms = 0; ms < 100'000; ms += 10) {
    passed += fold.pass(line(0), TimePoint(std::chrono::milliseconds(ms))).has_value();
    told += static_cast<int>(fold.due(TimePoint(std::chrono::milliseconds(ms))).size());
  }
  EXPECT_EQ(passed, 2);
  EXPECT_EQ(told, 9);
  EXPECT_EQ(fold.due(TimePoint(100s)).size(), 1u);
  EXPECT_TRUE(fold.due(TimePoint(110s)).empty()) << "nothing more came";
  EXPECT_EQ(fold.next(), TimePoint::max());
  EXPECT_TRUE(fold.pass(line(0), TimePoint(111s)).has_value()) << "forgotten";
}

TEST(LogFold, WhatComesNowAndThenAfterAStormPasses) {
  LogFold fold(2);
  for (int i = 0; i < 100; ++i) fold.pass(line(0), TimePoint(0s));
  EXPECT_EQ(fold.due(TimePoint(10s)).size(), 1u);
  EXPECT_FALSE(fold.pass(line(0), TimePoint(11s)).has_value()) << "it may still go on";
  EXPECT_EQ(fold.due(TimePoint(20s)).size(), 1u);
  EXPECT_TRUE(fold.pass(line(0), TimePoint(21s)).has_value());
}

TEST(LogFold, TheLineThatStandsForOthersHasTheSumsOfWhatTheyCount) {
  LogFold fold(1);
  const auto death = [](std::vector<log::Field> counts) {
    Log died = line(0);
    died.fields.insert(died.fields.end(), counts.begin(), counts.end());
    return died;
  };
  fold.pass(death({{"connections_lost", 100}}), TimePoint(0s));  // told by itself
  fold.pass(death({{"requests_lost", 1}, {"connections_lost", 2}}), TimePoint(1s));
  fold.pass(death({{"connections_lost", 3}, {"waiting_lost", 4}}), TimePoint(2s));
  fold.pass(death({}), TimePoint(3s));
  const auto first = fold.due(TimePoint(10s));
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(value(first[0], "requests_lost"), "1");
  EXPECT_EQ(value(first[0], "waiting_lost"), "4");
  EXPECT_EQ(value(first[0], "connections_lost"), "5");
  EXPECT_EQ(folded(first[0]), "3");
  fold.pass(death({{"connections_lost", 7}}), TimePoint(11s));
  const auto second = fold.due(TimePoint(20s));
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(value(second[0], "connections_lost"), "7") << "of its own window only";
  EXPECT_EQ(value(second[0], "requests_lost"), "");
}

TEST(LogFold, TellsReasonsApart) {
  LogFold fold(1);
  EXPECT_TRUE(fold.pass(line(0, "crash"), TimePoint(0s)).has_value());
  EXPECT_TRUE(fold.pass(line(0, "oom"), TimePoint(0s)).has_value());
  EXPECT_FALSE(fold.pass(line(1, "oom"), TimePoint(0s)).has_value());
}

TEST(LogFold, ReasonsWithoutEndDoNotFillTheMemory) {
  LogFold fold(1);
  int passed = 0;
  for (int i = 0; i < 100'000; ++i) passed += fold.pass(line(0, std::to_string(i)), TimePoint(0s)).has_value();
  EXPECT_LE(passed, 1001);
}

TEST(LogFold, TellsTheRestAtTheEnd) {
  LogFold fold(1);
  fold.pass(line(0), TimePoint(0s));
  fold.pass(line(0), TimePoint(0s));
  EXPECT_EQ(fold.rest().size(), 1u);
}

}  // namespace
}  // namespace serval::supervisor
