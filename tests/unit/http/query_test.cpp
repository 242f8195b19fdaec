#include "http/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace serval::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Query, PathsAreDecodedOnce) {
  EXPECT_EQ(decode_path("/a%20b+c%2Fd%2fe"), "/a b+c/d/e");
  EXPECT_EQ(decode_path("%2541"), "%41");
  EXPECT_EQ(decode_path("%00x"), std::string("\0x", 2));
  EXPECT_EQ(decode_path(""), "");
}

TEST(Query, GarbageStaysAsItIs) {
  EXPECT_EQ(decode_path("%"), "%");
  EXPECT_EQ(decode_path("%4"), "%4");
  EXPECT_EQ(decode_path("%zz%4g%%41"), "%zz%4g%A");
  EXPECT_EQ(decode_path("\xff%e4"), "\xff\xe4");
}

TEST(Query, ParametersKeepOrderAndRepetition) {
  EXPECT_THAT(parse_query("b=2&a=1&b=3"), ElementsAre(Parameter{"b", "2"}, Parameter{"a", "1"}, Parameter{"b", "3"}));
  EXPECT_THAT(parse_query("a+b=c+d%2B&%3D=%26"), ElementsAre(Parameter{"a b", "c d+"}, Parameter{"=", "&"}));
  EXPECT_THAT(parse_query("a&b=&=c&d=e=f"),
              ElementsAre(Parameter{"a", ""}, Parameter{"b", ""}, Parameter{"", "c"}, Parameter{"d", "e=f"}));
  EXPECT_THAT(parse_query("&&a=%&"), ElementsAre(Parameter{"a", "%"}));
  EXPECT_THAT(parse_query(""), IsEmpty());
  EXPECT_THAT(parse_query("&"), IsEmpty());
}

}  // namespace
}  // namespace serval::http
