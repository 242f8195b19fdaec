#include "metrics/board.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <thread>

#include "metrics/reader.hpp"

namespace serval::metrics {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Shape shape_of(Kind kind, std::string name) {
  return {.kind = kind,
          .name = std::move(name),
          .help = "help",
          .bounds = kind == Kind::histogram ? std::vector<double>{1, 10} : std::vector<double>{}};
}
Shape labelled(std::string name, std::size_t rows) {
  return {.name = std::move(name), .help = "help", .labels = {"kind"}, .rows = rows};
}

struct BoardTest : testing::Test {
  /// Of a mold of that generation, or of the worker that it is forked into once it takes a seat.
  Board board(int generation = 1) { return Board(std::move(*Memory::map(file.get())), generation); }

  std::vector<Family> seen(std::vector<Life> living = {}) {
    const Memory memory = std::move(*Memory::map(file.get()));
    return read(memory, file.get(), living);
  }
  std::optional<Family> seen(const std::string& name, std::vector<Life> living = {}) {
    for (Family& family : seen(std::move(living))) {
      if (family.shape.name == name) return std::move(family);
    }
    return std::nullopt;
  }
  /// "VALUE=COUNT" of each row of a counter.
  std::vector<std::string> rows_of(const std::string& name) {
    const auto family = seen(name);
    std::vector<std::string> rows;
    for (const Sample& sample : family->samples)
      rows.push_back(sample.values.at(0) + "=" + std::to_string(sample.count));
    std::sort(rows.begin(), rows.end());
    return rows;
  }
  static std::uint32_t row(const Board& board, std::string_view value) { return board.row(1, std::span(&value, 1)); }

  UniqueFd file = std::move(*make_file(8));
};

TEST_F(BoardTest, counts_from_its_seat_on) {
  Board one = board();
  const auto orders = one.declare(shape_of(Kind::counter, "orders"));
  ASSERT_TRUE(orders) << orders.error();
  one.add(*orders, 0, 5);  // in the mold
  one.take_seat(3);
  one.add(*orders, 0, 2);
  EXPECT_EQ(seen("orders")->samples.at(0).count, 2u);
}

TEST_F(BoardTest, sums_over_workers_and_their_successors) {
  for (const int seat : {0, 5, 0}) {
    Board worker = board();
    ASSERT_TRUE(worker.declare(shape_of(Kind::counter, "orders")));
    ASSERT_TRUE(worker.declare(shape_of(Kind::histogram, "size")));
    worker.take_seat(seat);
    worker.add(1, 0, 10);
    for (const double value :
         {1.0, 1.5, 100.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
      worker.observe(2, 0, value);
  }
  EXPECT_EQ(seen("orders")->samples.at(0).count, 30u);
  const Sample sizes = seen("size")->samples.at(0);
  EXPECT_THAT(sizes.buckets, ElementsAre(3, 3, 3));
  EXPECT_DOUBLE_EQ(sizes.value, 3 * 102.5);
}

TEST_F(BoardTest, gauges_are_those_of_workers_that_live) {
  Board first = board(1);
  ASSERT_TRUE(first.declare(shape_of(Kind::gauge, "level")));
  first.take_seat(0);
  first.set(1, 0, 7);
  first.move(1, 0, -0.5);
  const auto level = [&](std::vector<Life> living) { return seen("level", std::move(living))->samples.at(0).value; };
  EXPECT_EQ(level({{0, 1}}), 6.5);
  Board second = board(1);
  ASSERT_TRUE(second.declare(shape_of(Kind::gauge, "level")));
  second.take_seat(1);
  second.set(1, 0, 1);
  EXPECT_EQ(level({{0, 1}, {1, 1}}), 7.5);
  EXPECT_EQ(level({{1, 1}}), 1);
  EXPECT_EQ(level({{0, 2}, {1, 1}}), 1);  // a generation without this gauge has the seat
  Board successor = board(1);
  ASSERT_TRUE(successor.declare(shape_of(Kind::gauge, "level")));
  successor.take_seat(0);
  EXPECT_EQ(level({{0, 1}, {1, 1}}), 1);
}

TEST_F(BoardTest, another_generation_goes_on) {
  Board old = board(1);
  ASSERT_TRUE(old.declare(shape_of(Kind::counter, "before")));
  ASSERT_TRUE(old.declare(shape_of(Kind::counter, "orders")));
  old.take_seat(0);
  old.add(1, 0, 3);
  old.add(2, 0, 5);
  Board fresh = board(2);
  Shape reworded = shape_of(Kind::counter, "orders");
  reworded.help = "other words";
  ASSERT_TRUE(fresh.declare(reworded));
  ASSERT_TRUE(fresh.declare(shape_of(Kind::counter, "after")));
  fresh.take_seat(1);
  fresh.add(1, 0, 1);
  const auto orders = seen("orders", {{1, 2}});
  EXPECT_EQ(orders->samples.at(0).count, 6u);
  EXPECT_EQ(orders->shape.help, "other words");
  EXPECT_TRUE(seen("after", {{1, 2}}));
  EXPECT_FALSE(seen("before", {{1, 2}}));
  EXPECT_TRUE(seen("before", {{0, 1}, {1, 2}}));  // while a worker may count it
  EXPECT_TRUE(seen("before"));                    // and while none lives
}

TEST_F(BoardTest, another_type_begins_anew_and_a_return_goes_on) {
  const std::vector<Shape> shapes = {shape_of(Kind::counter, "x"), shape_of(Kind::gauge, "x"),
                                     shape_of(Kind::counter, "x")};
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    Board worker = board(static_cast<int>(i) + 1);
    ASSERT_TRUE(worker.declare(shapes[i]));
    worker.take_seat(0);
    worker.add(1, 0, 4);
    worker.set(1, 0, 9);
  }
  EXPECT_EQ(seen("x", {{0, 1}})->samples.at(0).count, 8u);
  EXPECT_EQ(seen("x", {{0, 2}})->samples.at(0).value, 9);
  EXPECT_EQ(seen("x", {{0, 2}, {0, 3}})->shape.kind, Kind::counter);  // the newer one is shown
}

TEST_F(BoardTest, rows_beyond_those_it_has_are_one) {
  Board worker = board();
  ASSERT_TRUE(worker.declare(labelled("orders", 2)));
  worker.take_seat(0);
  for (const std::string_view kind : {"gift", "sale", "swap", "loan", "gift", "other"})
    worker.add(1, row(worker, kind), 1);
  EXPECT_THAT(rows_of("orders"), ElementsAre("gift=2", "other=3", "sale=1"));
}

TEST_F(BoardTest, rows_stay_what_they_were_at_first) {
  for (const auto& [generation, rows] : {std::pair{1, 2}, std::pair{2, 9}, std::pair{3, 1}}) {
    Board worker = board(generation);
    ASSERT_TRUE(worker.declare(labelled("orders", static_cast<std::size_t>(rows))));
    worker.take_seat(generation);
    for (const std::string_view kind : {"gift", "sale", "swap"}) worker.add(1, row(worker, kind), 1);
  }
  EXPECT_THAT(rows_of("orders"), ElementsAre("gift=3", "other=3", "sale=3"));
}

TEST_F(BoardTest, what_cannot_be_declared_is_said_by_name) {
  Board mold = board();
  ASSERT_TRUE(mold.declare(shape_of(Kind::counter, "orders")));
  const auto why = [&](const Shape& shape) { return mold.declare(shape).error(); };
  EXPECT_EQ(why(shape_of(Kind::gauge, "orders")),
            "gauge \"orders\" cannot be declared: the app has a metric of this name already");
  EXPECT_EQ(why(shape_of(Kind::counter, "serval_x")),
            "counter \"serval_x\" cannot be declared: names that begin with serval_ are serval's");
  EXPECT_THAT(why(shape_of(Kind::histogram, "orders_total")), HasSubstr("_total is the end of a counter's name"));
  ASSERT_TRUE(mold.declare(shape_of(Kind::histogram, "size")));
  EXPECT_THAT(why(shape_of(Kind::gauge, "size_sum")), HasSubstr("the app's size is shown as size_sum, too"));
  EXPECT_THAT(why({.kind = Kind::histogram,
                   .name = "huge",
                   .labels = {"a"},
                   .bounds = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
                   .rows = 1000}),
              HasSubstr("of which there are 16384"));
  mold.close();
  EXPECT_THAT(why(shape_of(Kind::counter, "late")), HasSubstr("in its constructor or preload"));
  EXPECT_EQ(seen().size(), 2u);
}

TEST_F(BoardTest, an_app_has_so_many_metrics) {
  Board mold = board();
  for (std::size_t i = 0; i < kMaxMetrics; ++i)
    ASSERT_TRUE(mold.declare(shape_of(Kind::counter, "m" + std::to_string(i))));
  EXPECT_THAT(mold.declare(shape_of(Kind::counter, "more")).error(), HasSubstr("has 256 metrics already"));
}

TEST_F(BoardTest, what_earlier_generations_have_left_no_room_for_counts_nothing) {
  for (int generation = 1; generation <= 3; ++generation) {
    Board worker = board(generation);
    for (std::size_t i = 0; i < 200; ++i)
      ASSERT_TRUE(worker.declare(shape_of(Kind::counter, "g" + std::to_string(generation) + "_" + std::to_string(i))));
    worker.take_seat(0);
    for (std::uint32_t number = 1; number <= 200; ++number) worker.add(number, 0, 1);
  }
  EXPECT_EQ(seen("g3_0", {{0, 3}})->samples.at(0).count, 1u);
  EXPECT_FALSE(seen("g3_199", {{0, 3}}));
}

TEST_F(BoardTest, wrong_numbers_and_kinds_do_nothing) {
  Board worker = board();
  ASSERT_TRUE(worker.declare(labelled("orders", 2)));
  worker.take_seat(0);
  worker.add(0, 0, 1);
  worker.add(2, 0, 1);
  worker.add(1, 4, 1);
  worker.add(1, 0xffff'ffff, 1);
  worker.set(1, 0, 1);
  worker.observe(1, 0, 1);
  EXPECT_EQ(worker.row(2, {}), 0u);
  EXPECT_EQ(worker.row(1, {}), 0u);
  EXPECT_TRUE(seen("orders")->samples.empty());
  Board nowhere = board();
  ASSERT_TRUE(nowhere.declare(shape_of(Kind::counter, "orders2")));
  nowhere.take_seat(8);
  nowhere.add(1, 0, 1);
  EXPECT_EQ(seen("orders2")->samples.at(0).count, 0u);
}

TEST_F(BoardTest, threads_lose_nothing) {
  Board worker = board();
  ASSERT_TRUE(worker.declare(shape_of(Kind::counter, "orders")));
  ASSERT_TRUE(worker.declare(shape_of(Kind::histogram, "size")));
  worker.take_seat(0);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) {
        worker.add(1, 0, 1);
        worker.observe(2, 0, 0.5);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen("orders")->samples.at(0).count, 3000u);
  EXPECT_EQ(seen("size")->samples.at(0).value, 1500);
}

}  // namespace
}  // namespace serval::metrics
