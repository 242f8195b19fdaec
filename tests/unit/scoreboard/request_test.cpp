#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "scoreboard/reader.hpp"
#include "scoreboard/writer.hpp"

namespace serval::scoreboard {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

constexpr TimePoint kNow{1'000'000s};

class RequestTest : public testing::Test {
 protected:
  RequestTest() { board_.begin(1, ::getpid(), kNow); }
  std::vector<RequestInProgress> read() const { return read_requests(memory_, 0); }

  Memory memory_ = std::move(Memory::create({1, 3}).value());
  WorkerBoard board_{memory_, 0};
};

TEST_F(RequestTest, is_read_from_begin_to_end) {
  EXPECT_THAT(read(), IsEmpty());
  Row row = board_.row(1);
  row.begin({.method = "GET", .target = "/a/b?c=d", .request_id = "0123456789abcdef", .peer = "[2001:db8::1]:40000"},
            kNow, kNow + 30s);
  auto requests = read();
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].thread, ::gettid());
  EXPECT_EQ(requests[0].method, "GET");
  EXPECT_EQ(requests[0].target, "/a/b?c=d");
  EXPECT_EQ(requests[0].request_id, "0123456789abcdef");
  EXPECT_EQ(requests[0].peer, "[2001:db8::1]:40000");
  EXPECT_EQ(requests[0].started, kNow);
  EXPECT_EQ(requests[0].deadline, kNow + 30s);
  row.extend(TimePoint::max());
  EXPECT_EQ(read()[0].deadline, TimePoint::max());
  row.end();
  EXPECT_THAT(read(), IsEmpty());
}

TEST_F(RequestTest, rows_are_apart_and_read_in_their_order) {
  board_.row(2).begin({.target = "/two"}, kNow, kNow);
  board_.row(0).begin({.target = "/zero"}, kNow, kNow);
  ASSERT_THAT(read(), SizeIs(2));
  EXPECT_EQ(read()[0].target, "/zero");
  EXPECT_EQ(read()[1].target, "/two");
  board_.row(0).end();
  ASSERT_THAT(read(), SizeIs(1));
  EXPECT_EQ(read()[0].target, "/two");
}

TEST_F(RequestTest, texts_of_every_length_come_back_cut_to_their_room) {
  std::string text;
  for (std::size_t length = 0; length < 300; ++length) {
    board_.row(0).begin({.method = text, .target = text, .request_id = text, .peer = text}, kNow, kNow);
    const RequestInProgress request = read()[0];
    EXPECT_EQ(request.method, text.substr(0, 16));
    EXPECT_EQ(request.target, text.substr(0, 280));
    EXPECT_EQ(request.request_id, text.substr(0, 128));
    EXPECT_EQ(request.peer, text.substr(0, 48));
    text += static_cast<char>('!' + length % 90);
  }
}

TEST_F(RequestTest, nothing_of_the_row_before_shows) {
  board_.row(0).begin({.method = "OPTIONS", .target = "/long/long/long", .request_id = "x", .peer = "y"}, kNow, kNow);
  board_.row(0).end();
  board_.row(0).begin({.method = "PUT", .target = "/s"}, kNow + 1s, kNow);
  EXPECT_EQ(read()[0].method, "PUT");
  EXPECT_EQ(read()[0].target, "/s");
  EXPECT_EQ(read()[0].request_id, "");
  EXPECT_EQ(read()[0].peer, "");
}

TEST_F(RequestTest, names_the_thread_that_runs_it) {
  pid_t tid = 0;
  std::thread other([&] {
    tid = ::gettid();
    board_.row(0).begin({.target = "/"}, kNow, kNow);
  });
  other.join();
  EXPECT_EQ(read()[0].thread, tid);
}

TEST_F(RequestTest, that_was_being_begun_when_its_worker_was_killed_is_left_out_and_the_row_is_good_again) {
  board_.row(0).begin({.target = "/half"}, kNow, kNow);
  layout::RequestRow& cells = memory_.row(0, 0);
  cells.version.store(cells.version.load() + 1);
  EXPECT_THAT(read(), IsEmpty());
  board_.begin(1, ::getpid(), kNow);
  EXPECT_EQ(cells.version.load() % 2, 0u);
  cells.version.store(cells.version.load() + 1);
  board_.row(0).begin({.target = "/whole"}, kNow, kNow);
  ASSERT_THAT(read(), SizeIs(1));
  EXPECT_EQ(read()[0].target, "/whole");
}

/// One of a series of requests, all of whose values follow from its number.
struct Numbered {
  explicit Numbered(long long number)
      : method(static_cast<std::size_t>(number % 17), 'M'),
        target("/" + std::to_string(number) +
               std::string(static_cast<std::size_t>(number % 200), static_cast<char>('a' + number % 26))),
        request_id(std::to_string(number)),
        peer(std::to_string(number * 3)),
        started(Clock::duration(number + 1)),
        deadline(Clock::duration((number + 1) * 2)) {}

  RequestText text() const { return {method, target, request_id, peer}; }

  std::string method, target, request_id, peer;
  TimePoint started, deadline;
};

TEST_F(RequestTest, values_belong_together_whenever_it_is_read) {
  std::vector<Numbered> requests;
  for (long long number = 0; number < 500; ++number) requests.emplace_back(number);
  std::atomic<int> seen{0};
  constexpr int kEnough = 2'000;
  std::thread writer([&] {
    Row row = board_.row(0);
    for (std::size_t turn = 0; seen < kEnough; ++turn) {
      const Numbered& request = requests[turn % requests.size()];
      row.begin(request.text(), request.started, request.started);
      row.extend(request.deadline);
      row.end();
    }
  });
  while (seen < kEnough) {
    for (const RequestInProgress& read : this->read()) {
      const Numbered& request = requests.at(std::stoul(read.request_id));
      EXPECT_EQ(read.method, request.method);
      EXPECT_EQ(read.target, request.target);
      EXPECT_EQ(read.peer, request.peer);
      EXPECT_EQ(read.started, request.started);
      EXPECT_TRUE(read.deadline == request.deadline || read.deadline == request.started);
      ++seen;
    }
  }
  writer.join();
}

}  // namespace
}  // namespace serval::scoreboard
