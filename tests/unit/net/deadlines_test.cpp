#include "net/deadlines.hpp"

#include <functional>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace serval::net {
namespace {

using namespace std::chrono_literals;

struct Entry final : Deadlined {
  std::function<void(Entry&)> then = [](Entry&) {};
  std::vector<TimePoint> fired;

  void on_deadline(TimePoint now) override {
    fired.push_back(now);
    then(*this);
  }
};

/// A loop that ends by itself once no deadline is armed.
struct DeadlinesTest : ::testing::Test {
  boost::asio::io_context io;
  Deadlines deadlines{io};
  const TimePoint begin = Clock::now();
  Entry entry;
};

TEST_F(DeadlinesTest, FireOnceAndNeverEarly) {
  deadlines.set(entry, begin + 60ms);
  io.run();
  ASSERT_EQ(entry.fired.size(), 1u);
  EXPECT_GE(entry.fired[0], begin + 60ms);
}

TEST_F(DeadlinesTest, OneInThePastFiresSoon) {
  deadlines.set(entry, begin - 1h);
  io.run();
  EXPECT_EQ(entry.fired.size(), 1u);
}

TEST_F(DeadlinesTest, OneThatIsMovedLaterFiresOnceThen) {
  deadlines.set(entry, begin + 20ms);
  deadlines.set(entry, begin + 150ms);
  io.run();
  ASSERT_EQ(entry.fired.size(), 1u);
  EXPECT_GE(entry.fired[0], begin + 150ms);
}

TEST_F(DeadlinesTest, OneThatIsMovedEarlierDoesNotWaitForTheOldTime) {
  deadlines.set(entry, begin + 1h);
  deadlines.set(entry, begin + 20ms);
  io.run_one_for(5s);  // the timer of the old time, which is cancelled
  while (entry.fired.empty() && io.run_one_for(5s) > 0) {}
  ASSERT_EQ(entry.fired.size(), 1u);
  EXPECT_LT(entry.fired[0], begin + 5s);
}

TEST_F(DeadlinesTest, OneThatIsTakenBackNeverFires) {
  deadlines.set(entry, begin + 20ms);
  deadlines.set(entry, TimePoint::max());
  io.run();
  EXPECT_TRUE(entry.fired.empty());
}

TEST_F(DeadlinesTest, OneThatIsSetAnewWhenItFiresFiresAgain) {
  entry.then = [&](Entry& it) {
    if (it.fired.size() < 3) deadlines.set(it, Clock::now() + 1ms);
  };
  deadlines.set(entry, begin);
  io.run();
  EXPECT_EQ(entry.fired.size(), 3u);
}

TEST_F(DeadlinesTest, OneThatIsDestroyedBeforeItsTimeIsForgotten) {
  auto gone = std::make_unique<Entry>();
  deadlines.set(*gone, begin + 20ms);
  deadlines.set(entry, begin + 20ms);
  gone.reset();
  io.run();
  EXPECT_EQ(entry.fired.size(), 1u);
}

TEST_F(DeadlinesTest, SeveralFireInTheOrderOfTheirTimes) {
  std::vector<int> order;
  Entry later;
  entry.then = [&](Entry&) { order.push_back(1); };
  later.then = [&](Entry&) { order.push_back(2); };
  deadlines.set(later, begin + 160ms);
  deadlines.set(entry, begin + 20ms);
  io.run();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

}  // namespace
}  // namespace serval::net
