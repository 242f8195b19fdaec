#include "app/module.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/host.hpp"

namespace serval::app {
namespace {

using testing::HasSubstr;

serval_app good_table() {
  serval_app table{};
  table.size = sizeof table;
  table.abi_major = SERVAL_ABI_MAJOR;
  table.abi_minor = SERVAL_ABI_MINOR;
  table.preload = [](const serval_preload*, void**, serval_error*) { return 0; };
  table.handle = [](void*, const serval_request*, serval_exchange*) { return 0; };
  return table;
}

TEST(WhyNotCallable, NothingAgainstAGoodTable) { EXPECT_EQ(why_not_callable(good_table(), host()), ""); }

TEST(WhyNotCallable, ATableThatGrewAtItsEndIsFine) {
  serval_app table = good_table();
  table.size += 64;
  EXPECT_EQ(why_not_callable(table, host()), "");
}

TEST(WhyNotCallable, AnotherMajor) {
  serval_app table = good_table();
  table.abi_major = 2;
  table.abi_minor = 3;
  EXPECT_THAT(why_not_callable(table, host()), HasSubstr("built for ABI 2.3, this serval 0."));
  EXPECT_THAT(why_not_callable(table, host()), HasSubstr("has ABI 1.4: rebuild"));
}

TEST(WhyNotCallable, ANewerMinor) {
  serval_app table = good_table();
  table.abi_minor = SERVAL_ABI_MINOR + 1;
  EXPECT_THAT(why_not_callable(table, host()), HasSubstr("install a newer serval"));
}

TEST(WhyNotCallable, AnOlderMinorIsFine) {
  serval_host newer = host();
  newer.abi_minor = 9;
  EXPECT_EQ(why_not_callable(good_table(), newer), "");
}

TEST(WhyNotCallable, SizesThatCannotBe) {
  serval_app table = good_table();
  table.size = 0;
  EXPECT_THAT(why_not_callable(table, host()), HasSubstr("size as 0 bytes"));
  table.size = sizeof table - 1;
  EXPECT_THAT(why_not_callable(table, host()), HasSubstr("set `size`"));
}

TEST(WhyNotCallable, UnknownFeatures) {
  serval_app table = good_table();
  table.features = 4;
  EXPECT_THAT(why_not_callable(table, host()), HasSubstr("features (bits 4)"));
}

TEST(WhyNotCallable, MissingFunctions) {
  serval_app table = good_table();
  table.handle = nullptr;
  EXPECT_THAT(why_not_callable(table, host()), HasSubstr("no handle function"));
  table = good_table();
  table.preload = nullptr;
  EXPECT_THAT(why_not_callable(table, host()), HasSubstr("no preload function"));
}

}  // namespace
}  // namespace serval::app
