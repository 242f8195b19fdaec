#include "app/host_metrics.hpp"

#include <gmock/gmock.h>

#include <array>

#include "app/host.hpp"
#include "metrics/reader.hpp"

namespace serval::app {
namespace {

using testing::HasSubstr;

struct HostMetricsTest : testing::Test {
  HostMetricsTest() { count_on(&board); }
  ~HostMetricsTest() override { count_on(nullptr); }

  std::string why_not(const serval_metric& metric) {
    std::array<char, 200> why{};
    return host().metric(&metric, why.data(), why.size()) == 0 ? why.data() : "";
  }
  std::vector<metrics::Family> seen() {
    return metrics::read(*metrics::Memory::map(file.get()), file.get(), std::array{metrics::Life{0, 1}});
  }

  static serval_metric metric(std::int32_t kind, const char* name) {
    serval_metric raw{};
    raw.size = sizeof raw;
    raw.kind = kind;
    raw.name = serval_text_of(name);
    return raw;
  }

  const UniqueFd file = std::move(*metrics::make_file(1));
  metrics::Board board{std::move(*metrics::Memory::map(file.get())), 1};
  const std::array<serval_text, 2> labels{serval_text_of("kind"), serval_text_of("from")};
};

TEST_F(HostMetricsTest, all_of_it_is_in_the_table) {
  EXPECT_TRUE(SERVAL_HAS(&host(), metric_observe));
  EXPECT_EQ(host().abi_minor, SERVAL_ABI_MINOR);
}

TEST_F(HostMetricsTest, every_kind_counts) {
  serval_metric orders = metric(SERVAL_COUNTER, "orders_total");
  orders.labels = labels.data();
  orders.label_count = labels.size();
  const double bound = 1;
  serval_metric sizes = metric(SERVAL_HISTOGRAM, "sizes");
  sizes.bounds = &bound;
  sizes.bound_count = 1;
  const serval_metric level = metric(SERVAL_GAUGE, "level");
  const std::uint32_t a = host().metric(&orders, nullptr, 0);
  const std::uint32_t b = host().metric(&sizes, nullptr, 0);
  const std::uint32_t c = host().metric(&level, nullptr, 0);
  ASSERT_TRUE(a != 0 && b != 0 && c != 0);
  board.take_seat(0);
  const std::array<serval_text, 3> values{serval_text_of("gift"), serval_text{nullptr, 0}, serval_text_of("more")};
  EXPECT_EQ(host().metric_row(a, values.data(), 1), 0u);
  EXPECT_EQ(host().metric_row(a, values.data(), 1000), 0u);
  host().metric_add(a, host().metric_row(a, values.data(), 2), 3);
  host().metric_observe(b, 0, 0.5);
  host().metric_set(c, 0, 2);
  host().metric_move(c, 0, -0.5);
  const auto families = seen();
  ASSERT_EQ(families.size(), 3u);
  EXPECT_EQ(families[0].shape.name, "orders");
  EXPECT_EQ(families[0].shape.rows, metrics::kDefaultRows);
  EXPECT_THAT(families[0].samples.at(0).values, testing::ElementsAre("gift", ""));
  EXPECT_EQ(families[0].samples.at(0).count, 3u);
  EXPECT_THAT(families[1].samples.at(0).buckets, testing::ElementsAre(1, 0));
  EXPECT_EQ(families[2].samples.at(0).value, 1.5);
}

TEST_F(HostMetricsTest, what_is_refused_is_explained) {
  EXPECT_EQ(why_not(metric(SERVAL_COUNTER, "serval_a")),
            "counter \"serval_a\" cannot be declared: names that begin with serval_ are serval's");
  EXPECT_EQ(why_not(metric(9, "a")), "metric \"a\" cannot be declared: it has no kind");
  serval_metric wrong = metric(SERVAL_COUNTER, "a");
  wrong.size = 8;
  EXPECT_THAT(why_not(wrong), HasSubstr("size"));
  wrong = metric(SERVAL_COUNTER, "a");
  wrong.label_count = 1;
  EXPECT_THAT(why_not(wrong), HasSubstr("null pointer with a count"));
  wrong.labels = labels.data();
  wrong.label_count = static_cast<std::size_t>(-1);
  EXPECT_THAT(why_not(wrong), HasSubstr("too many labels"));
  std::array<char, 8> little{};
  const serval_metric bad = metric(SERVAL_COUNTER, "a b");
  EXPECT_EQ(host().metric(&bad, little.data(), little.size()), 0u);
  EXPECT_STREQ(little.data(), "counter");
}

TEST_F(HostMetricsTest, without_a_board_nothing_counts) {
  count_on(nullptr);
  const serval_metric hits = metric(SERVAL_COUNTER, "hits");
  const std::uint32_t number = host().metric(&hits, nullptr, 0);
  EXPECT_NE(number, 0u);
  host().metric_add(number, 0, 1);
  EXPECT_EQ(host().metric_row(number, nullptr, 0), 0u);
  EXPECT_TRUE(seen().empty());
}

}  // namespace
}  // namespace serval::app
