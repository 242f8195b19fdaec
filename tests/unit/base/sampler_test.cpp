#include "base/sampler.hpp"

#include <gmock/gmock.h>

namespace serval {
namespace {

TEST(ParseSampler, TheStandardsNames) {
  struct Row {
    const char* name;
    const char* argument;
    Sampler expected;
  };
  const Row table[] = {
      {"", "", {true, 1}},
      {"always_on", "", {false, 1}},
      {"always_off", "0.5", {false, 0}},
      {"traceidratio", "0.25", {false, 0.25}},
      {"traceidratio", "", {false, 1}},
      {"parentbased_always_on", "", {true, 1}},
      {"parentbased_always_off", "", {true, 0}},
      {"parentbased_traceidratio", "0.1", {true, 0.1}},
  };
  for (const Row& row : table) {
    const auto sampler = parse_sampler(row.name, row.argument);
    ASSERT_TRUE(sampler) << row.name;
    EXPECT_EQ(*sampler, row.expected) << row.name;
  }
}

TEST(ParseSampler, SaysWhatIsWrong) {
  EXPECT_THAT(parse_sampler("jaeger_remote", "").error(),
              testing::HasSubstr("OTEL_TRACES_SAMPLER = \"jaeger_remote\""));
  for (const char* argument : {"2", "-0.1", "half", "0.5x", "nan"})
    EXPECT_THAT(parse_sampler("traceidratio", argument).error(), testing::HasSubstr("OTEL_TRACES_SAMPLER_ARG"))
        << argument;
}

}  // namespace
}  // namespace serval
