#include "control/place.hpp"

#include <gtest/gtest.h>

namespace serval::control {
namespace {

TEST(Place, FollowsTheTable) {
  struct Row {
    const char* socket;
    config::Environment environment;
    const char* path;
    bool automatic;
    const char* folder;
  };
  const Row table[] = {
      {"off", {}, "", false, ""},
      {"off", {{"XDG_RUNTIME_DIR", "/run/user/7"}}, "", false, ""},
      {"/srv/shop.sock", {}, "/srv/shop.sock", false, ""},
      {"/srv/shop.sock", {{"RUNTIME_DIRECTORY", "/run/shop"}}, "/srv/shop.sock", false, ""},
      {"", {{"RUNTIME_DIRECTORY", "/run/shop"}}, "/run/shop/serval.sock", true, ""},
      {"", {{"RUNTIME_DIRECTORY", "/run/shop:/run/other"}}, "/run/shop/serval.sock", true, ""},
      {"", {{"RUNTIME_DIRECTORY", "/run/shop"}, {"XDG_RUNTIME_DIR", "/run/user/7"}}, "/run/shop/serval.sock", true, ""},
      {"", {{"XDG_RUNTIME_DIR", "/run/user/7"}}, "/run/user/7/serval-shop.sock", true, ""},
      {"", {{"RUNTIME_DIRECTORY", ""}, {"XDG_RUNTIME_DIR", "/run/user/7"}}, "/run/user/7/serval-shop.sock", true, ""},
      {"", {}, "/tmp/serval-7/shop.sock", true, "/tmp/serval-7"},
      {"", {{"XDG_RUNTIME_DIR", ""}}, "/tmp/serval-7/shop.sock", true, "/tmp/serval-7"},
      {"", {{"XDG_RUNTIME_DIR", "run/user"}}, "/tmp/serval-7/shop.sock", true, "/tmp/serval-7"},
  };
  for (const Row& row : table) {
    const Place place = find_place({.socket = row.socket}, "shop", row.environment, 7);
    EXPECT_EQ(place.path, row.path);
    EXPECT_EQ(place.automatic, row.automatic) << row.path;
    EXPECT_EQ(place.folder, row.folder) << row.path;
  }
}

}  // namespace
}  // namespace serval::control
