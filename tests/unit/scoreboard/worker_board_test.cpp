#include "scoreboard/writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "scoreboard/reader.hpp"

namespace serval::scoreboard {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

constexpr TimePoint kNow{1'000'000s};

class WorkerBoardTest : public testing::Test {
 protected:
  Memory memory_ = std::move(Memory::create({3, 4}).value());
};

TEST_F(WorkerBoardTest, a_fresh_scoreboard_is_empty) {
  const SlotReading slot = read_slot(memory_, 0);
  EXPECT_EQ(slot.pid, 0);
  EXPECT_EQ(slot.phase, WorkerPhase::none);
  EXPECT_EQ(slot.begun, TimePoint{});
  EXPECT_THAT(read_requests(memory_, 0), IsEmpty());
  const Totals totals = read_totals(memory_);
  EXPECT_EQ(std::accumulate(totals.answers.begin(), totals.answers.end(), std::uint64_t{0}), 0u);
  EXPECT_EQ(totals.of(Counter::connections), 0u);
}

TEST_F(WorkerBoardTest, what_a_worker_says_of_itself_is_read) {
  WorkerBoard board(memory_, 1);
  board.begin(3, 4711, kNow);
  EXPECT_EQ(read_slot(memory_, 1).phase, WorkerPhase::booting);
  EXPECT_EQ(read_slot(memory_, 1).last_beat, TimePoint{});

  board.set_phase(WorkerPhase::serving);
  board.beat(kNow + 5s, 4712);
  board.set_connections(30);
  for (const int row : {0, 2}) board.row(row).begin({.method = "GET"}, kNow, TimePoint::max());
  board.set_waiting(1);
  const SlotReading slot = read_slot(memory_, 1);
  EXPECT_EQ(slot.pid, 4711);
  EXPECT_EQ(slot.generation, 3);
  EXPECT_EQ(slot.phase, WorkerPhase::serving);
  EXPECT_EQ(slot.begun, kNow);
  EXPECT_EQ(slot.last_beat, kNow + 5s);
  EXPECT_EQ(slot.loop_thread, 4712);
  EXPECT_EQ(slot.requests, 0u);
  EXPECT_EQ(slot.connections, 30);
  EXPECT_EQ(slot.running, 2);
  EXPECT_EQ(slot.waiting, 1);
  EXPECT_EQ(read_slot(memory_, 0).pid, 0);
  EXPECT_EQ(read_slot(memory_, 2).pid, 0);
}

TEST_F(WorkerBoardTest, requests_are_counted) {
  WorkerBoard board(memory_, 0);
  board.begin(1, 10, kNow);
  board.count({.status = 200, .duration = 700us, .queue_wait = 0s, .bytes_in = 10, .bytes_out = 1000});
  board.count({.status = 200, .duration = 3ms, .bytes_in = 1, .bytes_out = 24});
  board.count({.status = 504, .duration = 31s, .queue_wait = 1s, .timed_out = true});
  board.count({.status = 503, .overload = true});
  board.count({.status = 499, .duration = -1ns, .client_gone = true});
  board.count({.status = 0});
  board.count({.status = 600});
  board.count({.status = std::numeric_limits<int>::min()});
  board.count_connection();
  board.count_connection();
  EXPECT_EQ(board.requests(), 8u);
  EXPECT_EQ(read_slot(memory_, 0).requests, 8u);

  const Totals totals = read_totals(memory_);
  EXPECT_EQ(totals.answers_with(200), 2u);
  EXPECT_EQ(totals.answers_with(504), 1u);
  EXPECT_EQ(totals.answers_with(499), 1u);
  EXPECT_EQ(totals.answers_with(0), 0u);
  EXPECT_EQ(totals.answers_with(600), 0u);
  EXPECT_EQ(std::accumulate(totals.answers.begin(), totals.answers.end(), std::uint64_t{0}), 5u);
  EXPECT_EQ(totals.of(Counter::timeouts), 1u);
  EXPECT_EQ(totals.of(Counter::overloads), 1u);
  EXPECT_EQ(totals.of(Counter::clients_gone), 1u);
  EXPECT_EQ(totals.of(Counter::connections), 2u);
  EXPECT_EQ(totals.of(Counter::bytes_in), 11u);
  EXPECT_EQ(totals.of(Counter::bytes_out), 1024u);

  const HistogramTotals& durations = totals.of(Histogram::request_duration);
  EXPECT_EQ(durations.counts[1], 1u);
  EXPECT_EQ(durations.counts[3], 1u);
  EXPECT_EQ(durations.counts[kBuckets - 1], 1u);
  EXPECT_EQ(durations.counts[0], 5u);
  EXPECT_EQ(durations.sum_ns, 31'003'700'000u);
  const HistogramTotals& waits = totals.of(Histogram::queue_wait);
  EXPECT_EQ(std::accumulate(waits.counts.begin(), waits.counts.end(), std::uint64_t{0}), 2u);
  EXPECT_EQ(waits.sum_ns, 1'000'000'000u);
}

TEST_F(WorkerBoardTest, totals_are_of_all_slots) {
  for (const int slot : {0, 1, 2}) {
    WorkerBoard board(memory_, slot);
    board.begin(1, 10 + slot, kNow);
    board.count({.status = 100, .duration = 1s});
    board.count({.status = 599, .duration = 1s});
  }
  EXPECT_EQ(read_totals(memory_).answers_with(100), 3u);
  EXPECT_EQ(read_totals(memory_).answers_with(599), 3u);
  EXPECT_EQ(read_totals(memory_).of(Histogram::request_duration).sum_ns, 6'000'000'000u);
}

TEST_F(WorkerBoardTest, a_new_life_starts_at_zero_but_counters_go_on) {
  WorkerBoard first(memory_, 0);
  first.begin(1, 10, kNow);
  first.set_phase(WorkerPhase::serving);
  first.beat(kNow, 10);
  first.set_connections(9);
  first.count({.status = 200});
  first.count_connection();
  first.row(3).begin({.method = "GET", .target = "/left/behind"}, kNow, kNow + 1s);

  WorkerBoard second(memory_, 0);
  second.begin(2, 20, kNow + 10s);
  const SlotReading slot = read_slot(memory_, 0);
  EXPECT_EQ(slot.pid, 20);
  EXPECT_EQ(slot.generation, 2);
  EXPECT_EQ(slot.phase, WorkerPhase::booting);
  EXPECT_EQ(slot.begun, kNow + 10s);
  EXPECT_EQ(slot.last_beat, TimePoint{});
  EXPECT_EQ(slot.loop_thread, 0);
  EXPECT_EQ(slot.requests, 0u);
  EXPECT_EQ(slot.connections, 0);
  EXPECT_THAT(read_requests(memory_, 0), IsEmpty());

  second.count({.status = 200});
  EXPECT_EQ(second.requests(), 1u);
  EXPECT_EQ(read_totals(memory_).answers_with(200), 2u);
  EXPECT_EQ(read_totals(memory_).of(Counter::connections), 1u);
}

TEST_F(WorkerBoardTest, a_cleared_slot_has_no_worker_but_its_counters) {
  WorkerBoard board(memory_, 2);
  board.begin(1, 10, kNow);
  board.set_phase(WorkerPhase::draining);
  board.count({.status = 200});
  board.row(0).begin({.method = "GET"}, kNow, kNow);
  clear_slot(memory_, 2);
  const SlotReading slot = read_slot(memory_, 2);
  EXPECT_EQ(slot.pid, 0);
  EXPECT_EQ(slot.phase, WorkerPhase::none);
  EXPECT_EQ(slot.running, 0);
  EXPECT_THAT(read_requests(memory_, 2), IsEmpty());
  EXPECT_EQ(read_totals(memory_).answers_with(200), 1u);
}

TEST_F(WorkerBoardTest, what_a_killed_worker_wrote_is_read) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    WorkerBoard board(memory_, 1);
    board.begin(5, ::getpid(), kNow);
    board.set_phase(WorkerPhase::serving);
    board.beat(kNow + 1s, ::gettid());
    board.count({.status = 201, .duration = 2ms});
    board.row(2).begin({.method = "POST", .target = "/crash", .request_id = "abc", .peer = "127.0.0.1:9"}, kNow + 1s,
                       kNow + 31s);
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;

  const SlotReading slot = read_slot(memory_, 1);
  EXPECT_EQ(slot.pid, child);
  EXPECT_EQ(slot.generation, 5);
  EXPECT_EQ(slot.phase, WorkerPhase::serving);
  EXPECT_EQ(slot.requests, 1u);
  const auto requests = read_requests(memory_, 1);
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].thread, child);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].target, "/crash");
  EXPECT_EQ(requests[0].started, kNow + 1s);
  EXPECT_EQ(requests[0].deadline, kNow + 31s);
  EXPECT_EQ(read_totals(memory_).answers_with(201), 1u);
}

TEST_F(WorkerBoardTest, counters_that_are_read_meanwhile_never_go_back) {
  WorkerBoard board(memory_, 0);
  board.begin(1, 10, kNow);
  std::atomic<bool> counting{true};
  std::thread reader([&] {
    std::uint64_t before = 0;
    while (counting) {
      const Totals totals = read_totals(memory_);
      EXPECT_GE(totals.answers_with(200), before);
      before = totals.answers_with(200);
    }
  });
  for (int i = 0; i < 50'000; ++i) board.count({.status = 200, .duration = 1ms, .bytes_out = 1});
  counting = false;
  reader.join();
  EXPECT_EQ(read_totals(memory_).answers_with(200), 50'000u);
}

/// Fills a slot, counters and rows too, with anything: the worker's foreign code may have done that.
void scribble(Memory& memory, int slot, const std::function<std::uint64_t()>& word) {
  const auto fill = [&word](void* begin, std::size_t bytes) {
    auto* words = static_cast<std::atomic<std::uint64_t>*>(begin);
    for (std::size_t i = 0; i < bytes / sizeof(std::uint64_t); ++i) words[i].store(word(), std::memory_order_relaxed);
  };
  fill(&memory.cells(slot), sizeof(layout::SlotCells));
  for (int row = 0; row < memory.size().rows; ++row) fill(&memory.row(slot, row), sizeof(layout::RequestRow));
}

void read_all_and_check(const Memory& memory) {
  for (int slot = 0; slot < memory.size().slots; ++slot) {
    const SlotReading reading = read_slot(memory, slot);
    EXPECT_GE(reading.pid, 0);
    EXPECT_GE(reading.generation, 0);
    EXPECT_LE(reading.phase, WorkerPhase::draining);
    EXPECT_GE(reading.last_beat, TimePoint{});
    EXPECT_GE(reading.begun, TimePoint{});
    EXPECT_GE(reading.connections, 0);
    for (const RequestInProgress& request : read_requests(memory, slot)) {
      EXPECT_GE(request.thread, 0);
      EXPECT_LE(request.method.size(), 16u);
      EXPECT_LE(request.target.size(), 280u);
      EXPECT_LE(request.request_id.size(), 128u);
      EXPECT_LE(request.peer.size(), 48u);
      EXPECT_GE(request.started, TimePoint{});
      EXPECT_GE(request.deadline, TimePoint{});
    }
  }
  read_totals(memory);
}

TEST_F(WorkerBoardTest, garbage_does_not_harm_a_reader_nor_the_next_worker) {
  std::mt19937_64 random(1);
  const std::vector<std::function<std::uint64_t()>> patterns = {
      [] { return ~std::uint64_t{0}; },
      [] { return ~std::uint64_t{1}; },  // even versions
      [] { return std::uint64_t{0x8000'0000'8000'0000}; },
      [] { return std::uint64_t{0x7fff'ffff'7fff'fffe}; },
  };
  const auto check = [this](const std::function<std::uint64_t()>& pattern) {
    for (int slot = 0; slot < memory_.size().slots; ++slot) scribble(memory_, slot, pattern);
    read_all_and_check(memory_);
    WorkerBoard board(memory_, 1);
    board.begin(1, 10, kNow);
    EXPECT_EQ(read_slot(memory_, 1).pid, 10);
    EXPECT_EQ(read_slot(memory_, 1).requests, 0u);
    EXPECT_THAT(read_requests(memory_, 1), IsEmpty());
    board.row(0).begin({.method = "GET", .target = "/"}, kNow, TimePoint::max());
    ASSERT_THAT(read_requests(memory_, 1), SizeIs(1));
    EXPECT_EQ(read_requests(memory_, 1)[0].target, "/");
    EXPECT_EQ(board.requests(), 0u);
  };
  for (const auto& pattern : patterns) check(pattern);
  for (int round = 0; round < 200; ++round) check([&random] { return random(); });
}

TEST_F(WorkerBoardTest, scribbling_meanwhile_does_not_harm_a_reader) {
  std::atomic<bool> reading{true};
  std::thread scribbler([&] {
    std::mt19937_64 random(2);
    while (reading) scribble(memory_, 1, [&random] { return random(); });
  });
  for (int i = 0; i < 2000; ++i) read_all_and_check(memory_);
  reading = false;
  scribbler.join();
}

TEST_F(WorkerBoardTest, free_threads_are_those_of_siblings_that_serve_and_have_nobody_waiting) {
  EXPECT_EQ(free_threads(memory_, 0, 2, 100), 0);
  WorkerBoard own(memory_, 0), sibling(memory_, 1);
  own.begin(1, 1, kNow);
  own.set_phase(WorkerPhase::serving);
  sibling.begin(1, 2, kNow);
  EXPECT_EQ(free_threads(memory_, 0, 2, 100), 0) << "it boots";
  sibling.set_phase(WorkerPhase::serving);
  EXPECT_EQ(free_threads(memory_, 0, 2, 100), 2);
  EXPECT_EQ(free_threads(memory_, 0, 2, 1), 1) << "that is enough";
  sibling.row(1).begin({.method = "GET"}, kNow, TimePoint::max());
  EXPECT_EQ(free_threads(memory_, 0, 2, 100), 1);
  sibling.set_waiting(1);
  EXPECT_EQ(free_threads(memory_, 0, 2, 100), 0);
  sibling.set_waiting(0);
  sibling.set_phase(WorkerPhase::draining);
  EXPECT_EQ(free_threads(memory_, 0, 2, 100), 0);
}

TEST_F(WorkerBoardTest, a_worker_whose_app_wants_no_requests_is_no_sibling_to_leave_any_to) {
  WorkerBoard own(memory_, 0), sibling(memory_, 1);
  sibling.begin(1, 2, kNow);
  sibling.set_phase(WorkerPhase::serving);
  EXPECT_EQ(siblings(memory_, {.end = 3, .but = 0, .enough = 9}, 2, kNow).with_headroom, 1);
  sibling.set_unready(true, false);
  EXPECT_EQ(free_threads(memory_, 0, 2, 100), 0);
  EXPECT_EQ(siblings(memory_, {.end = 3, .but = 0, .enough = 9}, 2, kNow).with_headroom, 0);
  sibling.set_unready(false, true);
  EXPECT_EQ(siblings(memory_, {.end = 3, .but = 0, .enough = 9}, 2, kNow).with_headroom, 1) << "that is the server's";
}

TEST_F(WorkerBoardTest, whether_another_worker_sees_the_drain_file) {
  WorkerBoard own(memory_, 0), sibling(memory_, 1);
  own.begin(1, 1, kNow);
  own.set_phase(WorkerPhase::serving);
  sibling.begin(1, 2, kNow);
  EXPECT_FALSE(others_see(memory_, 0, true));
  EXPECT_FALSE(others_see(memory_, 0, false)) << "it boots";
  sibling.set_phase(WorkerPhase::serving);
  EXPECT_TRUE(others_see(memory_, 0, false));
  sibling.set_unready(true, true);
  EXPECT_TRUE(others_see(memory_, 0, true));
  EXPECT_FALSE(others_see(memory_, 0, false));
  EXPECT_TRUE(others_see(memory_, 1, false)) << "the other way round";
}

TEST_F(WorkerBoardTest, what_is_unready_is_read_as_it_was_written_until_the_worker_ends) {
  WorkerBoard board(memory_, 1);
  board.begin(1, 2, kNow);
  for (const bool declines : {true, false}) {
    for (const bool drain_file : {true, false}) {
      board.set_unready(declines, drain_file);
      EXPECT_EQ(read_slot(memory_, 1).app_declines, declines);
      EXPECT_EQ(read_slot(memory_, 1).drain_file, drain_file);
    }
  }
  board.set_unready(true, true);
  clear_slot(memory_, 1);
  EXPECT_FALSE(read_slot(memory_, 1).app_declines || read_slot(memory_, 1).drain_file);
}

TEST_F(WorkerBoardTest, what_the_master_says_of_the_server_is_read_by_all) {
  EXPECT_EQ(read_server(memory_), ServerState()) << "an older master says nothing";
  for (int bits = 0; bits < 16; ++bits) {
    const ServerState state{.booting = (bits & 1) != 0,
                            .stopping = (bits & 2) != 0,
                            .draining = (bits & 4) != 0,
                            .paused = (bits & 8) != 0};
    set_server(memory_, state);
    EXPECT_EQ(read_server(memory_), state);
  }
}

TEST_F(WorkerBoardTest, the_first_request_of_a_second_is_its_buckets_exemplar) {
  WorkerBoard board(memory_, 0), other(memory_, 1);
  for (WorkerBoard* one : {&board, &other}) one->begin(1, 2, kNow);
  const Answered first{.status = 200, .duration = 3ms, .end = kNow};
  ASSERT_TRUE(board.count(first));
  EXPECT_EQ(read_exemplars(memory_)[bucket_of(3ms)].at, TimePoint{}) << "there is none yet";
  board.set_exemplar(first, "6f2a", "0af7651916cd43dd8448eb211c80319c");
  EXPECT_FALSE(board.count({.status = 200, .duration = 4ms, .end = kNow + 1s}));
  EXPECT_TRUE(board.count({.status = 200, .duration = 4ms, .end = kNow + 1001ms}));
  EXPECT_TRUE(board.count({.status = 200, .duration = 3s, .end = kNow})) << "each bucket has its own";
  const Exemplar found = read_exemplars(memory_)[bucket_of(3ms)];
  EXPECT_EQ(found.at, kNow);
  EXPECT_EQ(found.duration, 3ms);
  EXPECT_EQ(found.request_id, "6f2a");
  EXPECT_EQ(found.trace_id, "0af7651916cd43dd8448eb211c80319c");
  other.set_exemplar({.status = 200, .duration = 4ms, .end = kNow + 2s}, std::string(200, 'x'), "");
  const Exemplar newer = read_exemplars(memory_)[bucket_of(3ms)];
  EXPECT_EQ(newer.request_id, std::string(72, 'x'));
  EXPECT_EQ(newer.trace_id, "");
}

TEST_F(WorkerBoardTest, readiness_counts_the_workers_that_serve) {
  WorkerBoard first(memory_, 0), second(memory_, 1), third(memory_, 2);
  for (WorkerBoard* board : {&first, &second, &third}) board->begin(1, 2, kNow);
  first.set_phase(WorkerPhase::serving);
  second.set_phase(WorkerPhase::serving);
  second.set_unready(true, false);
  set_server(memory_, {.draining = true});
  first.beat(kNow, 2);
  second.beat(kNow, 2);
  const Readiness server = readiness(memory_, kNow);
  EXPECT_TRUE(server.draining);
  EXPECT_EQ(server.serving, 2);
  EXPECT_EQ(server.declining, 1);
  EXPECT_EQ(server.silent, 0);
  const Readiness later = readiness(memory_, kNow + kSilentAfter + 1s);
  EXPECT_EQ(later.declining, 1);
  EXPECT_EQ(later.silent, 1) << "the one that declines is none more that is missing";
}

TEST_F(WorkerBoardTest, requests_that_have_run_for_long_are_counted_by_when_they_began) {
  WorkerBoard board(memory_, 0);
  board.begin(1, 1, kNow);
  EXPECT_EQ(running_since_before(memory_, 0, kNow + 1s), 0);
  board.row(0).begin({.method = "GET"}, kNow, TimePoint::max());
  board.row(1).begin({.method = "GET"}, kNow + 500ms, TimePoint::max());
  EXPECT_EQ(running_since_before(memory_, 0, kNow), 0);
  EXPECT_EQ(running_since_before(memory_, 0, kNow + 500ms), 1);
  EXPECT_EQ(running_since_before(memory_, 0, kNow + 1s), 2);
  board.row(0).end();
  EXPECT_EQ(running_since_before(memory_, 0, kNow + 1s), 1);
}

}  // namespace
}  // namespace serval::scoreboard
