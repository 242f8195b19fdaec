#include "control/meant.hpp"

#include <gmock/gmock.h>

namespace serval::control {
namespace {

using testing::HasSubstr;

TEST(Meant, OneOfTheTwoNamesMustBeTheSame) {
  struct Row {
    ConfigFile meant;
    ConfigFile own;
    bool good;
  };
  const Row table[] = {
      {{"/srv/shop.toml", "/srv/shop.toml"}, {"/srv/shop.toml", "/srv/shop.toml"}, true},
      {{"/srv/current/s.toml", "/srv/8/s.toml"}, {"/srv/current/s.toml", "/srv/7/s.toml"}, true},  // switched since
      {{"/home/link.toml", "/srv/shop.toml"}, {"/srv/shop.toml", "/srv/shop.toml"}, true},
      {{"/srv/stage.toml", "/srv/stage.toml"}, {"/srv/prod.toml", "/srv/prod.toml"}, false},
      {{"/srv/stage.toml", "/srv/stage.toml"}, {"", ""}, false},
      {{"", ""}, {"", ""}, false},
  };
  for (const Row& row : table) {
    EXPECT_EQ(check_meant(row.meant, {.name = "shop", .pid = 7, .config = row.own}).has_value(), row.good)
        << row.meant.path << " and " << row.own.path;
  }
}

TEST(Meant, TheErrorSaysWhoseItIs) {
  const Owner owner{.name = "shop", .pid = 712, .config = {"/srv/prod.toml", "/srv/7/prod.toml"}};
  const std::string error = check_meant({"/srv/stage.toml", "/srv/stage.toml"}, owner).error();
  for (const char* part : {"shop", "pid 712", "/srv/prod.toml", "/srv/7/prod.toml", "/srv/stage.toml", "--socket"}) {
    EXPECT_THAT(error, HasSubstr(part));
  }
}

}  // namespace
}  // namespace serval::control
