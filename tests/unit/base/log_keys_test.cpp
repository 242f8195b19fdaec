#include "base/log_keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/access_atoms.hpp"

namespace serval::log {
namespace {

constexpr Keys kAll[] = {Keys::serval, Keys::ecs, Keys::datadog, Keys::gcp};

TEST(LogKeys, each_collector_gets_the_names_that_it_knows) {
  EXPECT_EQ(key_name(Keys::serval, "time"), "time");
  EXPECT_EQ(key_name(Keys::ecs, "time"), "@timestamp");
  EXPECT_EQ(key_name(Keys::ecs, "level"), "log.level");
  EXPECT_EQ(key_name(Keys::datadog, "level"), "status");
  EXPECT_EQ(key_name(Keys::datadog, "msg"), "message");
  EXPECT_EQ(key_name(Keys::gcp, "level"), "severity");
}

TEST(LogKeys, a_key_without_a_name_of_its_own_keeps_servals) {
  EXPECT_EQ(key_name(Keys::datadog, "boot_ms"), "boot_ms");
  EXPECT_EQ(key_name(Keys::gcp, "process"), "process");
  EXPECT_EQ(key_name(Keys::ecs, "file"), "serval.file");
}

TEST(LogKeys, what_the_two_logs_mean_differently_is_called_differently) {
  EXPECT_EQ(access_key_name(Keys::ecs, "path"), "url.path");
  EXPECT_EQ(key_name(Keys::ecs, "path"), "serval.path");
  EXPECT_EQ(access_key_name(Keys::ecs, "status"), key_name(Keys::ecs, "status"));
}

/// An index of Elasticsearch's refuses a line in which one name is a value here and an object there.
TEST(LogKeys, no_two_keys_of_a_line_get_one_name) {
  for (const Keys keys : kAll) {
    std::set<std::string> names;
    std::set<std::string_view> own;
    for (const KeyRow& row : kKeyTable) own.insert(row.serval);
    EXPECT_EQ(own.size(), std::size(kKeyTable));
    for (const AccessAtom& atom : kAccessAtoms) own.insert(atom.name);
    for (const std::string_view key : own) names.insert(access_key_name(keys, key));
    EXPECT_EQ(names.size(), own.size());
    for (const std::string& name : names) {
      const auto inside = [&](const std::string& other) { return other.starts_with(name + "."); };
      EXPECT_TRUE(std::none_of(names.begin(), names.end(), inside)) << name;
    }
  }
}

TEST(LogKeys, servals_own_are_known_by_the_names_in_use) {
  EXPECT_TRUE(is_own_key(Keys::serval, "level"));
  EXPECT_FALSE(is_own_key(Keys::serval, "severity"));
  EXPECT_FALSE(is_own_key(Keys::serval, "levels"));
  EXPECT_TRUE(is_own_key(Keys::gcp, "severity"));
  EXPECT_FALSE(is_own_key(Keys::gcp, "level"));
  EXPECT_TRUE(is_own_key(Keys::ecs, "log.level"));
  EXPECT_TRUE(is_own_key(Keys::ecs, "log"));           // {"log":{"level":...}} is the same field
  EXPECT_TRUE(is_own_key(Keys::ecs, "process.name.x"));
  EXPECT_FALSE(is_own_key(Keys::ecs, "log.logger"));
  EXPECT_TRUE(is_own_key(Keys::ecs, "ecs.version"));
  EXPECT_FALSE(is_own_key(Keys::datadog, "ecs.version"));
}

}  // namespace
}  // namespace serval::log
