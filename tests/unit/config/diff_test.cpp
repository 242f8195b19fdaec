#include "config/diff.hpp"

#include <gtest/gtest.h>

namespace serval::config {
namespace {

TEST(Diff, EqualConfigsNeedNothing) {
  const auto found = changes(Config{}, Config{});
  EXPECT_TRUE(found.empty());
  EXPECT_EQ(strongest(found), Apply::live);
}

TEST(Diff, NamesEachChangeAndTheStrongestNeed) {
  Config before, after;
  after.log.level = LogLevel::debug;
  after.workers.threads = 9;
  auto found = changes(before, after);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].option->path, "workers.threads");
  EXPECT_EQ(found[0].before, "5");
  EXPECT_EQ(found[0].after, "9");
  EXPECT_EQ(strongest(found), Apply::rolling);

  after.server.name = "other";
  found = changes(before, after);
  EXPECT_EQ(strongest(found), Apply::restart);
}

TEST(Diff, OfASecretOnlyTheNamesAreTold) {
  Config before, after;
  before.app.env = {{"STAYS", "geheim1"}, {"OTHER", "geheim2"}, {"GOES", "geheim3"}};
  after.app.env = {{"STAYS", "geheim1"}, {"OTHER", "geheim4"}, {"COMES", "geheim5"}};
  after.app.args = {"--password=geheim6"};
  std::string told;
  for (const auto& change : changes(before, after)) {
    EXPECT_EQ(change.before + change.after, "") << change.key;
    told += change.key + " " + std::string(change.how) + "\n";
  }
  EXPECT_EQ(told, "app.args changed\napp.env.GOES removed\napp.env.OTHER changed\napp.env.COMES added\n");
}

/// A variable may hold anything, a password among it.
TEST(Diff, OfWhatComesFromAVariableOnlyTheNameIsTold) {
  Config literal, from_variable;
  literal.server.bind = {"127.0.0.1:8000"};
  from_variable.server.bind = {"127.0.0.1:geheim"};
  from_variable.from_variables = {"server.bind"};
  for (const auto& found : {changes(literal, from_variable), changes(from_variable, literal)}) {
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].key, "server.bind");
    EXPECT_EQ(found[0].how, "changed");
    EXPECT_EQ(found[0].before + found[0].after, "");
  }
  EXPECT_TRUE(changes(from_variable, from_variable).empty());
}

}  // namespace
}  // namespace serval::config
