#include "cli/server_list.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "cli/log_paths.hpp"

namespace serval::cli {
namespace {

using Answer = ListedServer::Answer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

boost::json::object status_of(std::string_view text) {
  return boost::json::parse({text.data(), text.size()}).as_object();
}

const char* const kStatus = R"({"name": "shop", "pid": 811, "state": "serving", "ready": true, "unready": null,
  "uptime_s": 7500, "config_file": "/srv/shop.toml", "workers_wanted": 2, "generations": [{}], "version": "1",
  "workers": [{"state": "serving"}, {"state": "cooling"}], "listeners": [{"address": "127.0.0.1:8000"}],
  "programs": [{"name": "mailer", "wanted": 2, "on": true, "up": false, "instances": [{"state": "ready"}, {"state": "waiting"}]},
               {"name": "migrate", "wanted": 1, "on": true, "up": true, "instances": [{"state": "ended"}]},
               {"name": "night", "wanted": 1, "on": true, "up": true, "instances": [], "schedule": {"when": "30 2 * * *"}},
               {"name": "off", "wanted": 1, "on": false, "up": false, "instances": []}]})";

TEST(ServerList, ForPeople) {
  const std::string text = format_list(
      {{.pid = 811, .user = "deploy", .socket = "/tmp/x.sock", .answer = Answer::given, .status = status_of(kStatus)},
       {.pid = 7, .name = "other\x1b[31m", .user = "root", .answer = Answer::not_allowed},
       {.pid = 12345, .name = "hung", .user = "me", .socket = "/run/\nx.sock", .answer = Answer::none}});
  EXPECT_EQ(text,
            "NAME            PID USER   STATE\n"
            "shop            811 deploy serving, up for 2h 5m\n"
            "  /srv/shop.toml\n"
            "  listens on 127.0.0.1:8000\n"
            "  1 of 2 workers serve\n"
            "  mailer: 1 of 2 ready, 1 waiting\n"
            "  migrate: done\n"
            "  night: scheduled: 30 2 * * *\n"
            "  off: stopped\n"
            "other\\x1b[31m     7 root   its control socket is another user's\n"
            "hung          12345 me     does not answer\n"
            "  /run/\\nx.sock\n");
  EXPECT_EQ(format_list({}), "no server runs here that you may see\n");
}

TEST(ServerList, AsJson) {
  const auto json = list_to_json(
      {{.pid = 811, .user = "deploy", .socket = "/tmp/x.sock", .answer = Answer::given, .status = status_of(kStatus)},
       {.pid = 7, .name = "other", .user = "root", .answer = Answer::not_allowed}});
  const auto& servers = json.at("servers").as_array();
  ASSERT_EQ(servers.size(), 2u);
  EXPECT_EQ(servers[0].at("name").as_string(), "shop");
  EXPECT_EQ(servers[0].at("workers").at("serving").as_int64(), 1);
  EXPECT_EQ(servers[0].at("programs").as_array()[0].at("ready").as_int64(), 1);
  EXPECT_EQ(servers[0].at("programs").as_array()[0].at("instances").at("waiting").as_int64(), 1);
  EXPECT_TRUE(servers[0].at("problem").is_null());
  EXPECT_EQ(servers[1].at("problem").as_string(), "its control socket is another user's");
  EXPECT_TRUE(servers[1].at("state").is_null());
  EXPECT_TRUE(servers[1].at("programs").is_null());
}

TEST(ServerList, OfAnotherServalWhatIsThere) {
  for (const char* status : {"{}", R"({"programs": 3, "listeners": [1], "workers": null, "name": 7})",
                             R"({"programs": [{"instances": [{"state": 1}]}], "state": "\u001b[2J"})"}) {
    const std::vector<ListedServer> servers = {{.answer = Answer::given, .status = status_of(status)}};
    EXPECT_THAT(format_list(servers), Not(HasSubstr("\x1b")));
    EXPECT_FALSE(boost::json::serialize(list_to_json(servers)).empty());
  }
}

TEST(LogPaths, OfAProgramItsOwnFiles) {
  const auto status = status_of(R"({"log_file": "/var/log/serval.log", "programs": [
    {"name": "own", "instances": [{"log_file": "/a-0"}, {"log_file": "/a-1"}, {"log_file": "/a-1"}]},
    {"name": "ours", "instances": [{"log_file": null}]}]})");
  EXPECT_THAT(log_paths(status, "own").paths, ElementsAre("/a-0", "/a-1"));
  EXPECT_TRUE(log_paths(status, "own").of_program);
  for (const char* program : {"", "ours", "nobody"}) {
    EXPECT_THAT(log_paths(status, program).paths, ElementsAre("/var/log/serval.log")) << program;
    EXPECT_FALSE(log_paths(status, program).of_program);
  }
  EXPECT_THAT(log_paths(status_of(R"({"log_file": null})"), "").why, HasSubstr("goes to standard error"));
  EXPECT_THAT(log_paths(status_of("{}"), "").why, HasSubstr("an older one"));
}

}  // namespace
}  // namespace serval::cli
