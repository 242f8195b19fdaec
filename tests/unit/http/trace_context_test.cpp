#include "http/trace_context.hpp"

#include <gtest/gtest.h>

namespace serval::http {
namespace {

constexpr const char* kGood = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

std::string traceparent(const TraceContext& context) {
  std::string out = "of an earlier request";
  write_traceparent(context, out);
  return out;
}

TEST(TraceContext, ComesBackAsItCame) {
  for (const char* text : {kGood, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}) {
    const auto context = parse_traceparent(text);
    ASSERT_TRUE(context) << text;
    EXPECT_EQ(traceparent(*context), text);
  }
}

TEST(TraceContext, KeepsTheKnownPartOfALaterVersionAndOfUnknownFlags) {
  for (const char* text : {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes-later",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff"}) {
    const auto context = parse_traceparent(text);
    ASSERT_TRUE(context) << text;
    EXPECT_EQ(traceparent(*context), kGood);
  }
}

TEST(TraceContext, RefusesWhatIsNone) {
  for (const char* text : {"", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                           "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
                           "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x"})
    EXPECT_FALSE(parse_traceparent(text)) << text;
}

TEST(Sampler, DecidesAsTheVariablesSay) {
  TraceContext kept;
  kept.sampled = true;
  const TraceContext left;
  std::array<std::uint8_t, 16> low{};
  std::array<std::uint8_t, 16> high;
  high.fill(0xff);
  struct Row {
    Sampler sampler;
    const TraceContext* parent;
    bool low, high;
  };
  const Row table[] = {
      {{true, 1}, nullptr, true, true},     {{true, 0}, nullptr, false, false},  {{true, 0}, &kept, true, true},
      {{true, 1}, &left, false, false},     {{false, 0}, &kept, false, false},   {{false, 1}, &left, true, true},
      {{false, 0.5}, nullptr, true, false}, {{true, 0.5}, nullptr, true, false},
  };
  for (const Row& row : table) {
    EXPECT_EQ(is_sampled(row.sampler, row.parent, low), row.low);
    EXPECT_EQ(is_sampled(row.sampler, row.parent, high), row.high);
  }
}

}  // namespace
}  // namespace serval::http
