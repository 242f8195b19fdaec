#include "metrics/reader.hpp"

#include <gmock/gmock.h>

#include <bit>
#include <limits>
#include <random>
#include <set>

#include "metrics/board.hpp"
#include "metrics/record.hpp"

namespace serval::metrics {
namespace {

struct ReaderTest : testing::Test {
  std::vector<Family> seen() { return read(memory, file.get(), living); }

  UniqueFd file = std::move(*make_file(2));
  Memory memory = std::move(*Memory::map(file.get()));
  std::vector<Life> living;
};

TEST_F(ReaderTest, a_file_without_metrics) { EXPECT_TRUE(seen().empty()); }

TEST_F(ReaderTest, numbers_that_are_none_are_left_out) {
  Board board(std::move(*Memory::map(file.get())), 1);
  ASSERT_TRUE(board.declare({.kind = Kind::gauge, .name = "level"}));
  board.take_seat(0);
  board.set(1, 0, 3);
  memory.cells(1)[0] = std::bit_cast<std::uint64_t>(std::numeric_limits<double>::quiet_NaN());
  living = {{0, 1}, {1, 1}, {-1, 1}, {7, 1}};
  EXPECT_EQ(seen().at(0).samples.at(0).value, 3);
}

TEST_F(ReaderTest, what_lies_beyond_the_file_is_no_metric) {
  Board board(std::move(*Memory::map(file.get())), 1);
  ASSERT_TRUE(board.declare({.name = "a", .labels = {"k"}, .rows = 10}));
  ASSERT_EQ(seen().size(), 1u);
  layout::FamilyRecord& record = memory.family(0);
  const auto lost = [&](layout::Cell32& cell, std::uint32_t value) {
    const std::uint32_t before = cell.exchange(value);
    const bool gone = seen().empty();
    cell = before;
    return gone && seen().size() == 1;
  };
  EXPECT_TRUE(lost(record.first_cell, layout::kCells - 5));
  EXPECT_TRUE(lost(record.first_cell, 0xffff'ffff));
  EXPECT_TRUE(lost(record.first_place, layout::kPlaces - 5));
  EXPECT_TRUE(lost(record.rows, 0xffff'ffff));
  EXPECT_TRUE(lost(record.labels, kMaxLabels + 1));
  EXPECT_TRUE(lost(record.bounds, kMaxBounds + 1));
  EXPECT_TRUE(lost(record.kind, 4));
  EXPECT_TRUE(lost(record.published, 2));
  memory.first_page().families = 0xffff'ffff;
  EXPECT_EQ(seen().size(), 1u);
}

TEST_F(ReaderTest, two_records_with_names_that_clash_are_not_both_shown) {
  Board old(std::move(*Memory::map(file.get())), 1);
  ASSERT_TRUE(old.declare({.kind = Kind::gauge, .name = "size_count"}));
  Board fresh(std::move(*Memory::map(file.get())), 2);
  ASSERT_TRUE(fresh.declare({.kind = Kind::histogram, .name = "size", .bounds = {1}}));
  living = {{0, 1}, {1, 2}};
  ASSERT_EQ(seen().size(), 1u);
  EXPECT_EQ(seen()[0].shape.name, "size");
}

/// As valid as a scraper wants it, and bounded.
void expect_showable(const std::vector<Family>& families) {
  std::set<std::string> names;
  for (const Family& family : families) {
    EXPECT_EQ(why_not(family.shape), "");
    for (const std::string& name : names_of(family.shape)) EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_LE(family.samples.size(), places_of(kMaxRows) + 1);
    std::set<std::vector<std::string>> values;
    for (const Sample& sample : family.samples) {
      EXPECT_EQ(sample.values.size(), family.shape.labels.size());
      EXPECT_TRUE(values.insert(sample.values).second);
      for (const std::string& value : sample.values) EXPECT_EQ(shown(value, 1000), value);
    }
  }
}

TEST_F(ReaderTest, any_bytes_give_some_reading) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937_64 random(seed);
    Board board(std::move(*Memory::map(file.get())), 1);
    for (const char* name : {"a", "b", "c"}) {
      const auto number = board.declare({.name = name, .labels = {"k", "l"}, .rows = 20});
      if (!number) continue;
    }
    board.take_seat(0);
    for (int i = 0; i < 30; ++i) {
      const std::string value = std::to_string(i);
      const std::array<std::string_view, 2> values{value, "x"};
      board.add(1 + static_cast<std::uint32_t>(i) % 3, board.row(1 + static_cast<std::uint32_t>(i) % 3, values), 1);
    }
    // In a few words of the first records and rows, and once all over.
    auto* words = reinterpret_cast<layout::Cell64*>(&memory.first_page());
    const std::size_t everything = cell_offset(0, 100) / sizeof(layout::Cell64);
    for (int i = 0; i < 200; ++i) {
      const std::size_t from = (seed % 2 == 0 ? layout::kFamiliesAt : layout::kPlacesAt) / sizeof(layout::Cell64);
      words[from + random() % 500] = random() >> (random() % 64);
    }
    living = {{0, static_cast<int>(random() % 3)}};
    expect_showable(seen());
    if (seed % 10 == 9) {
      for (std::size_t i = 8; i < everything; ++i) words[i] = random();
      expect_showable(seen());
    }
  }
}

}  // namespace
}  // namespace serval::metrics
