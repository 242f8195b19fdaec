#include "net/deadline_wheel.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

namespace serval::net {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{};

struct Entry final : Deadlined {
  int fired = 0;
  void on_deadline(TimePoint) override {}
};

int expire(DeadlineWheel& wheel, TimePoint now) {
  int fired = 0;
  wheel.expire(now, [&](Deadlined& entry) {
    ++static_cast<Entry&>(entry).fired;
    ++fired;
  });
  return fired;
}

TEST(DeadlineWheel, FiresAtMostOneTickLateAndNeverEarly) {
  for (const Duration deadline :
       std::initializer_list<Duration>{0ms, 1ms, 49ms, 50ms, 51ms, 999ms, 10s + 7ms, 51s, 52s, 1h + 3ms}) {
    DeadlineWheel wheel(kStart);
    Entry entry;
    wheel.set(entry, kStart + deadline);
    if (deadline > 0ms) {
      EXPECT_EQ(expire(wheel, kStart + deadline - 1ms), 0) << deadline.count();
    }
    EXPECT_EQ(expire(wheel, kStart + deadline + DeadlineWheel::kTick), 1) << deadline.count();
    EXPECT_EQ(expire(wheel, kStart + deadline + 10h), 0);
  }
}

TEST(DeadlineWheel, MovingADeadlineLaterKeepsOnlyTheLastOne) {
  DeadlineWheel wheel(kStart);
  Entry entry;
  wheel.set(entry, kStart + 1s);
  wheel.set(entry, kStart + 5s);
  wheel.set(entry, kStart + 70s);
  EXPECT_EQ(expire(wheel, kStart + 69s), 0);
  EXPECT_EQ(expire(wheel, kStart + 70s + DeadlineWheel::kTick), 1);
}

TEST(DeadlineWheel, MovingADeadlineEarlierTakesEffect) {
  DeadlineWheel wheel(kStart);
  Entry entry;
  wheel.set(entry, kStart + 75s);
  wheel.set(entry, kStart + 2s);
  EXPECT_EQ(expire(wheel, kStart + 2s + DeadlineWheel::kTick), 1);
}

TEST(DeadlineWheel, NoDeadlineNeverFires) {
  DeadlineWheel wheel(kStart);
  Entry entry;
  wheel.set(entry, kStart + 1s);
  wheel.set(entry, TimePoint::max());
  EXPECT_EQ(expire(wheel, kStart + 24h), 0);
  EXPECT_FALSE(wheel.next());
}

TEST(DeadlineWheel, NextIsNeverLaterThanTheEarliestDeadlinesTick) {
  DeadlineWheel wheel(kStart);
  Entry early, late;
  EXPECT_FALSE(wheel.next());
  wheel.set(late, kStart + 30s);
  wheel.set(early, kStart + 3s + 20ms);
  ASSERT_TRUE(wheel.next());
  EXPECT_LE(*wheel.next(), kStart + 3s + 20ms + DeadlineWheel::kTick);
  EXPECT_GE(*wheel.next(), kStart + 3s);
}

TEST(DeadlineWheel, DestroyedEntriesAreForgotten) {
  DeadlineWheel wheel(kStart);
  {
    Entry entry;
    wheel.set(entry, kStart + 1s);
  }
  EXPECT_FALSE(wheel.next());
  EXPECT_EQ(expire(wheel, kStart + 2s), 0);
}

TEST(DeadlineWheel, AnEntryMayDestroyOthersThatAreDueWithIt) {
  DeadlineWheel wheel(kStart);
  auto first = std::make_unique<Entry>();
  auto second = std::make_unique<Entry>();
  wheel.set(*first, kStart + 1s);
  wheel.set(*second, kStart + 1s);
  int fired = 0;
  wheel.expire(kStart + 2s, [&](Deadlined&) {
    ++fired;
    first.reset();
    second.reset();
  });
  EXPECT_EQ(fired, 1);
}

TEST(DeadlineWheel, RandomMovesKeepThePromise) {
  std::mt19937 random(20261121);
  DeadlineWheel wheel(kStart);
  std::vector<Entry> entries(200);
  TimePoint now = kStart;
  for (int step = 0; step < 5000; ++step) {
    Entry& entry = entries[random() % entries.size()];
    wheel.set(entry, random() % 10 == 0 ? TimePoint::max() : now + std::chrono::milliseconds(random() % 90000));
    now += std::chrono::milliseconds(random() % 300);
    wheel.expire(now, [&](Deadlined& due) {
      EXPECT_LE(due.deadline(), now);
      wheel.set(due, TimePoint::max());
    });
    for (const Entry& each : entries) {
      if (each.deadline() == TimePoint::max()) continue;
      ASSERT_GT(each.deadline() + DeadlineWheel::kTick, now) << "a deadline was missed at step " << step;
    }
  }
}

}  // namespace
}  // namespace serval::net
