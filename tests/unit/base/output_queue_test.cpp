#include "base/output_queue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace serval {
namespace {

std::string waiting(const OutputQueue& queue) {
  std::array<iovec, 16> room;
  std::string all;
  for (const iovec& piece : queue.front(room)) all.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  return all;
}

/// Counts how often it was given back.
struct Lender {
  int released = 0;
  Release release() {
    return {[](void* context) { ++static_cast<Lender*>(context)->released; }, this};
  }
};

TEST(OutputQueue, SendsInTheOrderInWhichItWasFilled) {
  OutputQueue queue;
  EXPECT_TRUE(queue.empty());
  queue.own().append("head ");
  queue.own().append("and more ");
  queue.lend("lent ", {});
  queue.own().append("tail");
  EXPECT_EQ(waiting(queue), "head and more lent tail");
  EXPECT_EQ(queue.size(), 23u);
  EXPECT_FALSE(queue.empty());
}

TEST(OutputQueue, GoesOnAtEveryByteWhereAWriteMayHaveStopped) {
  constexpr std::string_view all = "head lent head2 lent2 tail";
  for (std::size_t first = 0; first <= all.size(); ++first) {
    for (std::size_t second = 0; first + second <= all.size(); ++second) {
      Lender one, two;
      OutputQueue queue;
      queue.own().append("head ");
      queue.lend("lent ", one.release());
      queue.own().append("head2 ");
      queue.lend("lent2 ", two.release());
      queue.own().append("tail");
      queue.consume(first);
      ASSERT_EQ(waiting(queue), all.substr(first));
      queue.consume(second);
      ASSERT_EQ(waiting(queue), all.substr(first + second));
      ASSERT_EQ(queue.size(), all.size() - first - second);
      ASSERT_EQ(queue.empty(), first + second == all.size());
      ASSERT_EQ(one.released, first + second >= 10 ? 1 : 0) << first << " + " << second;
      ASSERT_EQ(two.released, first + second >= 22 ? 1 : 0) << first << " + " << second;
    }
  }
}

TEST(OutputQueue, WhatIsLentIsGivenBackHoweverItEnds) {
  Lender lender;
  {
    OutputQueue queue;
    queue.lend("x", lender.release());
    queue.clear();
    EXPECT_EQ(lender.released, 1);
    queue.lend("", lender.release());
    EXPECT_EQ(lender.released, 2) << "nothing was lent";
    queue.lend("x", lender.release());
    queue.consume(1);
    EXPECT_EQ(lender.released, 3);
    queue.lend("x", lender.release());
  }
  EXPECT_EQ(lender.released, 4);
}

TEST(OutputQueue, ForeignCodeIsCalledAsItsOwnerKnowsHow) {
  static int calls = 0;
  Lender lender;
  Release release = lender.release();
  release.call = [](void (*call)(void*), void* context) noexcept {
    ++calls;
    call(context);
  };
  release();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(lender.released, 1);
  Release{}();  // nothing to be done
}

TEST(OutputQueue, TakesWhatAnotherOneHas) {
  Lender lender;
  OutputQueue answer, queue;
  answer.own().append("answer ");
  answer.lend("body", lender.release());
  queue.take(answer);
  EXPECT_TRUE(answer.empty());
  EXPECT_EQ(waiting(queue), "answer body");
  answer.own().append(", next");
  queue.consume(3);
  queue.take(answer);
  EXPECT_TRUE(answer.empty());
  EXPECT_EQ(waiting(queue), "wer body, next");
  EXPECT_EQ(lender.released, 0);
  queue.consume(8);
  EXPECT_EQ(lender.released, 1);
  queue.consume(6);
  EXPECT_TRUE(queue.empty());
}

TEST(OutputQueue, KnowsWhenAllLiesInOnePlace) {
  OutputQueue queue;
  EXPECT_EQ(queue.only(), "");
  queue.own().append("answer");
  queue.consume(2);
  EXPECT_EQ(queue.only(), "swer");
  queue.lend("body", {});
  EXPECT_EQ(queue.only(), "");
}

TEST(OutputQueue, ShowsAsMuchAsThereIsRoomFor) {
  OutputQueue queue;
  for (int i = 0; i < 5; ++i) {
    queue.own().append("a");
    queue.lend("b", {});
  }
  std::array<iovec, 3> room;
  EXPECT_EQ(queue.front(room).size(), 3u);
  EXPECT_EQ(queue.size(), 10u);
}

TEST(OutputQueue, KeepsTheMemoryOfUsualAnswersOnly) {
  OutputQueue queue;
  queue.own().assign(1000, 'x');
  queue.consume(1000);
  EXPECT_GE(queue.own().capacity(), 1000u);
  queue.clear();
  queue.own().assign(OutputQueue::kKept + 1, 'x');
  queue.consume(OutputQueue::kKept + 1);
  EXPECT_LT(queue.own().capacity(), OutputQueue::kKept);
}

}  // namespace
}  // namespace serval
