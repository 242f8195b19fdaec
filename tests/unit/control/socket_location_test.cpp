#include "control/socket_location.hpp"

#include <gtest/gtest.h>

namespace serval::control {
namespace {

TEST(SocketLocation, FollowsTheTable) {
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
    const auto places = places_to_bind({.socket = row.socket}, "shop", row.environment, 7);
    EXPECT_EQ(places.empty(), *row.path == '\0') << row.socket;
    if (places.empty()) continue;
    EXPECT_EQ(places.front().path, row.path);
    EXPECT_EQ(places.front().automatic, row.automatic) << row.path;
    EXPECT_EQ(places.front().folder, row.folder) << row.path;
  }
}

std::vector<std::string> paths(const std::vector<SocketLocation>& places) {
  std::vector<std::string> result;
  for (const SocketLocation& place : places) result.push_back(place.path);
  return result;
}

TEST(SocketLocation, AServerThatCannotHaveTheFirstTakesTheNext) {
  EXPECT_EQ(
      paths(places_to_bind({}, "shop", {{"RUNTIME_DIRECTORY", "/run/shop"}, {"XDG_RUNTIME_DIR", "/run/user/7"}}, 7)),
      (std::vector<std::string>{"/run/shop/serval.sock", "/run/user/7/serval-shop.sock", "/tmp/serval-7/shop.sock"}));
}

TEST(SocketLocation, ACommandLooksWhereverAServerOfThisUserMayBe) {
  EXPECT_EQ(paths(places_to_look({}, "shop", "web", {}, 7)),
            (std::vector<std::string>{"/tmp/serval-7/shop.sock", "/run/user/7/serval-shop.sock",
                                      "/run/serval-shop/serval.sock", "/run/serval-web/serval.sock"}));
  EXPECT_EQ(paths(places_to_look({}, "shop", "", {{"XDG_RUNTIME_DIR", "/run/user/7"}}, 7)),
            (std::vector<std::string>{"/run/user/7/serval-shop.sock", "/tmp/serval-7/shop.sock",
                                      "/run/serval-shop/serval.sock"}));
  EXPECT_EQ(paths(places_to_look({.socket = "/x.sock"}, "shop", "web", {}, 7)), (std::vector<std::string>{"/x.sock"}));
  EXPECT_TRUE(places_to_look({.socket = "off"}, "shop", "web", {}, 7).empty());
}

TEST(SocketLocation, RootLooksAtThoseOfWhoTypedSudo) {
  const auto places = places_to_look({}, "shop", "", {{"SUDO_UID", "7"}}, 0);
  ASSERT_EQ(places.size(), 5u);
  EXPECT_EQ(places[3].path, "/run/user/7/serval-shop.sock");
  EXPECT_EQ(places[4].path, "/tmp/serval-7/shop.sock");
  EXPECT_EQ(places[4].owner, 7u) << "the folder must be his, not root's";
  EXPECT_EQ(places_to_look({}, "shop", "", {{"SUDO_UID", "7"}}, 8).size(), 3u) << "only root is let in there";
  for (const char* wrong : {"", "x", "-1", "0", "7x", "99999999999"}) {
    EXPECT_EQ(places_to_look({}, "shop", "", {{"SUDO_UID", wrong}}, 0).size(), 3u) << wrong;
  }
}

}  // namespace
}  // namespace serval::control
