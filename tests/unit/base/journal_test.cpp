#include "base/journal.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace serval {
namespace {

TEST(Journal, TheVariableNamesOneFile) {
  EXPECT_TRUE(names_file("8:1234", 8, 1234));
  for (const char* other : {"", ":", "8", "8:", "8:12345", "08:1234", "8:1234 ", "9:1234", "8:1234:"}) {
    EXPECT_FALSE(names_file(other, 8, 1234)) << other;
  }
}

TEST(Journal, NothingIsTheJournalWithoutTheVariable) { EXPECT_FALSE(is_journal(STDERR_FILENO)); }

TEST(Journal, PrioritiesAreThoseOfSyslog) {
  EXPECT_EQ(priority_prefix(log::Level::debug), "<7>");
  EXPECT_EQ(priority_prefix(log::Level::info), "<6>");
  EXPECT_EQ(priority_prefix(log::Level::warning), "<4>");
  EXPECT_EQ(priority_prefix(log::Level::error), "<3>");
}

}  // namespace
}  // namespace serval
