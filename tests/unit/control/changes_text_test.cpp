#include "control/changes_text.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace serval::control {
namespace {

std::string formatted(const char* answer) { return format_changes(boost::json::parse(answer).as_object()); }

TEST(ChangesText, HasALineForEachChange) {
  EXPECT_EQ(formatted(R"({"generation": 2, "build": "3f2a91c0d1e2f3a4", "build_before": "9bd1a2f0aa01", "changes": [
              {"key": "workers.threads", "from": "3", "to": "5"}, {"key": "server.bind", "from": "[\":80\"]",
    "to": "[]"}]})"),
            "app.library: build 3f2a91c0d1e2 instead of 9bd1a2f0aa01\nworkers.threads: 5 instead of 3\nserver.bind: [] "
            "instead of [\":80\"]\n");
}

TEST(ChangesText, OfASecretOnlyThatItChanged) {
  EXPECT_EQ(
      formatted(R"({"changes": [{"key": "app.env.TOKEN", "how": "changed"}, {"key": "app.args", "how": "changed"}]})"),
      "app.env.TOKEN: changed\napp.args: changed\n");
}

TEST(ChangesText, ALinkMayLeadToAnotherFile) {
  EXPECT_EQ(formatted(R"({"config_file": "/srv/8/serval.toml", "config_file_before": "/srv/7/serval.toml"})"),
            "configuration: /srv/8/serval.toml instead of /srv/7/serval.toml\n");
}

TEST(ChangesText, NothingIsNoLine) {
  EXPECT_EQ(formatted(R"({"generation": 2, "build": "3f2a", "build_before": "3f2a", "changes": []})"), "");
  EXPECT_EQ(formatted(R"({"generation": 2})"), "") << "an older server";
}

TEST(ChangesText, ALibraryMayHaveNoBuildId) {
  EXPECT_EQ(formatted(R"({"build": "", "build_before": "3f2a"})"),
            "app.library: build without an id instead of 3f2a\n");
}

}  // namespace
}  // namespace serval::control
