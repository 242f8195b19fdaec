#include "metrics/shape.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace serval::metrics {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Shape counter(std::string name) { return {.name = std::move(name), .help = "help"}; }
Shape labelled(std::vector<std::string> labels, std::size_t rows = 5) {
  return {.name = "a", .labels = std::move(labels), .rows = rows};
}
Shape histogram(std::vector<double> bounds) {
  return {.kind = Kind::histogram, .name = "a", .bounds = std::move(bounds)};
}

TEST(Shape, what_is_a_metric) {
  for (const Shape& shape :
       {counter("a"), counter("_9"), counter("Shop_orders"), counter(std::string(kMaxName, 'x')), labelled({"kind"}),
        labelled({"a", "b", "c", "d"}, kMaxRows), histogram({-1, 0, 0.5, 1e300})})
    EXPECT_EQ(why_not(shape), "") << shape.name;
}

TEST(Shape, what_is_none_and_why) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<std::pair<Shape, std::string>> table = {
      {counter(""), "a name is [a-zA-Z_][a-zA-Z0-9_]*"},
      {counter("9a"), "a name is"},
      {counter("a-b"), "a name is"},
      {counter("a:b"), "a name is"},
      {counter("ä"), "a name is"},
      {counter(std::string(kMaxName + 1, 'x')), "its name has more bytes, of which there may be 120"},
      {counter("serval_x"), "names that begin with serval_ are serval's"},
      {{.kind = Kind::gauge, .name = "a_total"}, "_total is the end of a counter's name"},
      {{.name = "a", .help = std::string(kMaxHelp + 1, 'x')}, "its help has more bytes"},
      {labelled({"a", "b", "c", "d", "e"}), "it has more labels, of which there may be 4"},
      {labelled({"a-b"}), "its label \"a-b\" is not"},
      {labelled({"__a"}), "its label \"__a\" is not"},
      {labelled({"le"}), "that of a histogram's buckets"},
      {labelled({"a", "b", "a"}), "its label \"a\" comes twice"},
      {labelled({"a"}, 0), "with labels it needs rows"},
      {labelled({"a"}, kMaxRows + 1), "it has more rows, of which there may be 1000"},
      {labelled({}, 3), "without labels it has one row, not 3"},
      {histogram({}), "a histogram needs bounds"},
      {histogram({1, 1}), "its bounds do not ascend"},
      {histogram({1, kInfinity}), "its bounds are not all numbers"},
      {histogram({std::numeric_limits<double>::quiet_NaN()}), "its bounds are not all numbers"},
      {histogram(std::vector<double>(kMaxBounds + 1)), "it has more bounds"},
      {{.name = "a", .bounds = {1}}, "only a histogram has bounds"},
  };
  for (const auto& [shape, why] : table) EXPECT_THAT(why_not(shape), HasSubstr(why)) << shape.name;
}

TEST(Shape, goes_on_whatever_its_help_and_rows_are) {
  const Shape shape = labelled({"kind"});
  Shape other = shape;
  other.help = "other";
  other.rows = 9;
  EXPECT_TRUE(same_series(shape, other));
  other.labels = {"sort"};
  EXPECT_FALSE(same_series(shape, other));
  other = shape;
  other.kind = Kind::gauge;
  EXPECT_FALSE(same_series(shape, other));
  EXPECT_FALSE(same_series(histogram({1}), histogram({1, 2})));
}

TEST(Shape, takes_cells_for_every_row_and_bucket) {
  EXPECT_EQ(cells_of(counter("a")), 1u);
  EXPECT_EQ(cells_of(labelled({"a"}, 64)), 82u);
  EXPECT_EQ(cells_of(histogram({1, 2, 3})), 5u);
  EXPECT_GT(places_of(1), 1u);  // one is always free, which ends a search
}

TEST(Shape, keeps_the_names_that_scrapers_see) {
  EXPECT_THAT(names_of(counter("a")), ElementsAre("a", "a_total", "a_created"));
  EXPECT_THAT(names_of({.kind = Kind::gauge, .name = "a"}), ElementsAre("a"));
  EXPECT_THAT(names_of(histogram({1})), ElementsAre("a", "a_bucket", "a_sum", "a_count", "a_created"));
}

TEST(Shown, any_bytes_become_utf8) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  const std::vector<std::pair<std::string_view, std::string>> table = {
      {"plain", "plain"},
      {std::string_view("a\0b", 3), "a"},
      {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
      {"a\xff"
       "b",
       "a" + std::string(kReplacement) + "b"},
      {"\xc0\xaf", std::string(kReplacement) + std::string(kReplacement)},  // an overlong slash
      {"\xed\xa0\x80", std::string(kReplacement) + std::string(kReplacement) + std::string(kReplacement)},
      {"\xe2\x82", std::string(kReplacement) + std::string(kReplacement)},  // cut
  };
  for (const auto& [bytes, expected] : table) EXPECT_EQ(shown(bytes, 100), expected);
  EXPECT_EQ(shown("a\xc3\xa4", 2), "a");
}

TEST(Kept, is_cut_at_a_character) {
  EXPECT_EQ(kept("short"), "short");
  EXPECT_EQ(kept(std::string_view("a\0b", 3)), "a");
  EXPECT_EQ(kept(std::string(kMaxValue, 'x')).size(), kMaxValue);
  EXPECT_EQ(kept(std::string(kMaxValue - 1, 'x') + "\xc3\xa4"), std::string(kMaxValue - 1, 'x'));
  EXPECT_EQ(kept(std::string(200, '\xa4')).size(), kMaxValue);  // no text at all
}

}  // namespace
}  // namespace serval::metrics
