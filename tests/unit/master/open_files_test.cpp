#include "master/open_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace serval::master {
namespace {

using testing::HasSubstr;

TEST(OpenFiles, ALimitThatIsTooLowIsNamedWithWhatIsNeeded) {
  EXPECT_FALSE(too_few_open_files(1024, 5, 1));
  EXPECT_FALSE(too_few_open_files(fewest_open_files(5, 1), 5, 1));
  const auto why = too_few_open_files(20, 5, 1);
  ASSERT_TRUE(why);
  EXPECT_THAT(*why, HasSubstr("RLIMIT_NOFILE) is 20, and a server with 5 workers needs 76"));
  EXPECT_TRUE(too_few_open_files(fewest_open_files(5, 1) - 1, 5, 1));
  EXPECT_TRUE(too_few_open_files(fewest_open_files(5, 1), 6, 1)) << "more workers need more";
  EXPECT_TRUE(too_few_open_files(fewest_open_files(5, 1), 5, 2));
}

}  // namespace
}  // namespace serval::master
