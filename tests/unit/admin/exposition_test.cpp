#include "admin/exposition.hpp"

#include <array>
#include <limits>

#include <gtest/gtest.h>

namespace serval::admin {
namespace {

TEST(Exposition, OfEachTypeInTheOlderFormat) {
  Exposition text(Format::prometheus);
  text.family("serval_requests", MetricType::counter, "Requests answered.");
  text.sample(std::uint64_t{18'446'744'073'709'551'615U}, {{"code", "200"}});
  text.sample(std::uint64_t{7}, {{"code", "404"}});
  text.family("serval_generation", MetricType::gauge, "Generation that serves.");
  text.sample(2.5);
  text.family("serval_build", MetricType::info, "What runs.");
  text.sample(std::uint64_t{1}, {{"version", "0.1.0"}});
  EXPECT_EQ(text.finish(), R"(# HELP serval_requests_total Requests answered.
# TYPE serval_requests_total counter
serval_requests_total{code="200"} 18446744073709551615
serval_requests_total{code="404"} 7
# HELP serval_generation Generation that serves.
# TYPE serval_generation gauge
serval_generation 2.5
# HELP serval_build_info What runs.
# TYPE serval_build_info gauge
serval_build_info{version="0.1.0"} 1
)");
}

TEST(Exposition, OfEachTypeInOpenMetrics) {
  Exposition text(Format::openmetrics);
  text.family("serval_requests", MetricType::counter, "Requests answered.");
  text.sample(std::uint64_t{7});
  text.family("serval_uptime_seconds", MetricType::gauge, "Age.", "seconds");
  text.sample(1e-9);
  text.family("serval_build", MetricType::info, "What runs.");
  text.sample(std::uint64_t{1}, {{"version", "0.1.0"}});
  EXPECT_EQ(text.finish(), R"(# HELP serval_requests Requests answered.
# TYPE serval_requests counter
serval_requests_total 7
# HELP serval_uptime_seconds Age.
# TYPE serval_uptime_seconds gauge
# UNIT serval_uptime_seconds seconds
serval_uptime_seconds 1e-09
# HELP serval_build What runs.
# TYPE serval_build info
serval_build_info{version="0.1.0"} 1
# EOF
)");
}

TEST(Exposition, AHistogramCountsUpwards) {
  constexpr std::array kLimits{0.5, 1.0};
  constexpr std::array<std::uint64_t, 3> kCounts{2, 0, 3};
  const std::array<Exemplar, 3> exemplars{{{{{"request_id", "6f2a"}}, 0.4, 17.5}, {}, {{{"request_id", "b0\"b"}}, 7}}};
  const auto write = [&](Format format) {
    Exposition text(format);
    text.family("d_seconds", MetricType::histogram, "Durations.", "seconds");
    text.sample(HistogramValue{kLimits, kCounts, 21.25, exemplars}, {{"slot", "0"}});
    return text.finish();
  };
  EXPECT_EQ(write(Format::prometheus), R"(# HELP d_seconds Durations.
# TYPE d_seconds histogram
d_seconds_bucket{slot="0",le="0.5"} 2
d_seconds_bucket{slot="0",le="1"} 2
d_seconds_bucket{slot="0",le="+Inf"} 5
d_seconds_sum{slot="0"} 21.25
d_seconds_count{slot="0"} 5
)");
  EXPECT_EQ(write(Format::openmetrics), R"(# HELP d_seconds Durations.
# TYPE d_seconds histogram
# UNIT d_seconds seconds
d_seconds_bucket{slot="0",le="0.5"} 2 # {request_id="6f2a"} 0.4 17.500
d_seconds_bucket{slot="0",le="1.0"} 2
d_seconds_bucket{slot="0",le="+Inf"} 5 # {request_id="b0\"b"} 7
d_seconds_sum{slot="0"} 21.25
d_seconds_count{slot="0"} 5
# EOF
)");
}

TEST(Exposition, WhatAValueHoldsDoesNotEndIt) {
  Exposition text(Format::prometheus);
  text.family("a", MetricType::gauge, "One \"word\" \\ two\nlines.");
  text.sample(std::numeric_limits<double>::infinity(), {{"b", "\"\\\n{},# "}});
  EXPECT_EQ(text.finish(), "# HELP a One \"word\" \\\\ two\\nlines.\n# TYPE a gauge\na{b=\"\\\"\\\\\\n{},# \"} +Inf\n");
}

TEST(Exposition, FormatByTheScrapersWish) {
  const struct {
    std::string_view accept;
    Format format;
  } rows[] = {
      {"", Format::prometheus},
      {"*/*", Format::prometheus},
      {"text/html,application/xhtml+xml", Format::prometheus},
      {"application/openmetrics-text", Format::openmetrics},
      {"application/openmetrics-text; version=1.0.0; charset=utf-8", Format::openmetrics},
      // Prometheus 2.42
      {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
       "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       Format::openmetrics},
      {"text/plain;version=0.0.4,application/openmetrics-text;q=0.5", Format::prometheus},
      {"application/openmetrics-text;q=0", Format::prometheus},
      {"application/openmetrics-text;q=nonsense", Format::openmetrics},
      {",,;;q=,application/openmetrics-textual", Format::prometheus},
  };
  for (const auto& row : rows) EXPECT_EQ(format_for(row.accept), row.format) << row.accept;
}

TEST(Exposition, EachFormatNamesItself) {
  EXPECT_EQ(content_type(Format::prometheus), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(content_type(Format::openmetrics), "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

}  // namespace
}  // namespace serval::admin
