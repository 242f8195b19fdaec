#include "metrics/rows.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <set>
#include <thread>

namespace serval::metrics {
namespace {

using testing::ElementsAre;

struct RowsTest : testing::Test {
  explicit RowsTest(std::size_t limit = 4)
      : places(std::make_unique<layout::Place[]>(places_of(limit))),
        rows{.places = {places.get(), places_of(limit)}, .filled = &filled, .limit = limit} {}

  std::uint32_t find(std::vector<std::string_view> values) { return find_row(rows, key_of(values)); }
  std::vector<std::string> values_in(std::uint32_t row, std::size_t labels) {
    return read_values(places[row - 1], labels).value_or(std::vector<std::string>{});
  }

  std::unique_ptr<layout::Place[]> places;
  layout::Cell32 filled{0};
  Rows rows;
};

TEST_F(RowsTest, the_same_values_have_the_same_row) {
  const std::uint32_t gift = find({"gift"});
  EXPECT_GT(gift, 0u);
  EXPECT_EQ(find({"gift"}), gift);
  EXPECT_NE(find({"sale"}), gift);
  EXPECT_EQ(filled.load(), 2u);
  EXPECT_THAT(values_in(gift, 1), ElementsAre("gift"));
}

TEST_F(RowsTest, what_is_beyond_the_limit_has_none) {
  std::set<std::uint32_t> found;
  for (const char* value : {"a", "b", "c", "d"}) found.insert(find({value}));
  EXPECT_EQ(found.size(), 4u);
  EXPECT_FALSE(found.contains(0));
  EXPECT_EQ(find({"e"}), 0u);
  EXPECT_EQ(find({"f"}), 0u);
  EXPECT_TRUE(found.contains(find({"a"})));  // those that are there go on
  EXPECT_EQ(filled.load(), 4u);
}

TEST_F(RowsTest, values_are_not_run_together) {
  EXPECT_NE(find({"ab", ""}), find({"a", "b"}));
  EXPECT_NE(find({"", "x"}), find({"x", ""}));
}

TEST_F(RowsTest, long_values_are_one_if_they_begin_alike) {
  const std::string begin(kMaxValue, 'x');
  EXPECT_EQ(find({begin + "1"}), find({begin + "2"}));
}

TEST_F(RowsTest, other_is_the_first_row_of_all_metrics) {
  EXPECT_TRUE(key_of(std::vector<std::string_view>{"other"}).is_other);
  EXPECT_TRUE(key_of(std::vector<std::string_view>{"other", "other"}).is_other);
  EXPECT_FALSE(key_of(std::vector<std::string_view>{"other", "gift"}).is_other);
}

TEST_F(RowsTest, what_a_killed_process_began_is_completed) {
  const Key key = key_of(std::vector<std::string_view>{"gift"});
  places[(key.tag >> 32) * rows.places.size() >> 32].tag = key.tag;
  const std::uint32_t row = find({"gift"});
  EXPECT_GT(row, 0u);
  EXPECT_THAT(values_in(row, 1), ElementsAre("gift"));
}

TEST_F(RowsTest, garbage_ends_the_search) {
  filled = 0xffff'ffff;
  EXPECT_EQ(find({"gift"}), 0u);
  for (std::size_t i = 0; i < rows.places.size(); ++i) places[i].tag = 7;
  filled = 0;
  EXPECT_EQ(find({"gift"}), 0u);
  EXPECT_EQ(read_values(places[0], 1), std::nullopt);
}

struct ManyRowsTest : RowsTest {
  ManyRowsTest() : RowsTest(50) {}
};

TEST_F(ManyRowsTest, threads_that_come_at_once_agree) {
  constexpr int kThreads = 4;
  std::array<std::vector<std::uint32_t>, kThreads> found;
  std::vector<std::thread> threads;
  for (auto& own : found) {
    threads.emplace_back([&] {
      for (int i = 0; i < 80; ++i) own.push_back(find({std::to_string(i % 40)}));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& own : found) EXPECT_EQ(own, found[0]);
  EXPECT_EQ(std::set(found[0].begin(), found[0].end()).size(), 40u);
  EXPECT_EQ(filled.load(), 40u);
}

}  // namespace
}  // namespace serval::metrics
