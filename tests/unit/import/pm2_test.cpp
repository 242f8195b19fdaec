#include "import/pm2.hpp"

#include <gmock/gmock.h>

#include <set>

#include "config/load.hpp"
#include "config/programs.hpp"
#include "import/pm2_app.hpp"
#include "import/pm2_fields.hpp"

namespace serval::import {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

std::string toml_of(std::string_view text, Pm2Setting setting = {.file = "ecosystem.config.js", .cpus = 4}) {
  const auto parsed = parse_pm2_json(text);
  EXPECT_TRUE(parsed) << parsed.error();
  auto toml = pm2_to_toml(*parsed, setting);
  EXPECT_TRUE(toml) << toml.error();
  return toml ? *toml : "";
}

config::Programs programs_in(const std::string& toml) {
  config::Loaded loaded;
  for (const auto& option : config::options()) loaded.origins.emplace(option.path, config::ValueSource{});
  const auto values = config::read_text(
      toml, "serval.toml", [](auto) { return std::optional<std::string>("/home/x"); }, loaded.problems);
  if (values) config::read_programs(*values, "/srv", loaded);
  config::validate_programs(loaded);
  EXPECT_EQ(config::format_problems(loaded.problems, "error"), "") << toml;
  return loaded.config.programs;
}

config::Program program_of(std::string_view app, Pm2Setting setting = {.file = "e.json", .cpus = 4}) {
  const auto programs = programs_in(toml_of(app, std::move(setting)));
  return programs.empty() ? config::Program() : programs.begin()->second;
}

TEST(Pm2, AWholeApp) {
  const std::string toml = toml_of(R"({"apps": [{
    "name": "api", "script": "dist/server.js", "args": ["--flag", "a b"], "node_args": "--max-old-space-size=200",
    "cwd": "/srv/api", "instances": 2, "exec_mode": "cluster", "env": {"PORT": 3000, "PASSWORD": "a${b}", "ON": true},
    "env_production": {"NODE_ENV": "production"}, "max_memory_restart": "300M", "autorestart": false,
    "stop_exit_codes": [0, 3], "min_uptime": "5s", "max_restarts": 10, "kill_timeout": 5000, "uid": "node",
    "out_file": "out.log", "error_file": "err.log", "watch": true, "ignore_watch": ["x"], "cron_restart": "0 3 * * *",
    "restart_delay": 100, "namespace": "prod", "wait_ready": true, "made_up": 1}],
    "deploy": {}})");
  const auto programs = programs_in(toml);
  ASSERT_EQ(programs.size(), 1u);
  const config::Program& api = programs.at("api");
  EXPECT_THAT(api.command, ElementsAre("node", "--max-old-space-size=200", "dist/server.js", "--flag", "a b"));
  EXPECT_EQ(api.working_directory, "/srv/api");
  EXPECT_EQ(api.count, 2);
  EXPECT_THAT(api.listen, ElementsAre("0.0.0.0:3000"));
  EXPECT_THAT(api.env, ElementsAre(Pair("ON", "true"), Pair("PASSWORD", "a${b}"), Pair("PORT", "3000")));
  EXPECT_EQ(api.memory_soft, 300u * 1024 * 1024);
  EXPECT_EQ(api.restart, config::ProgramRestart::never);
  EXPECT_THAT(api.stop_codes, ElementsAre(0, 3));
  EXPECT_EQ(api.ready, "alive:5s");
  EXPECT_EQ(api.give_up_after, 10);
  EXPECT_EQ(api.grace, std::chrono::seconds(5));
  EXPECT_EQ(api.user, "node");
  EXPECT_EQ(api.stop_signal, "INT");
  EXPECT_EQ(api.log, "/srv/api/out-{instance}.log");
  for (const char* said : {"server.listen({fd: 3})", "Other environments of it: production", "cron_restart",
                           "restart_delay", "watch, ignore_watch", "namespace", "wait_ready", "error_file is left out",
                           "deploy", "made_up. PM2 does not know", "SERVAL_INSTANCE"})
    EXPECT_THAT(toml, HasSubstr(said));
}

TEST(Pm2, Commands) {
  const struct {
    const char* app;
    std::vector<std::string> command;
  } table[] = {
      {R"({"script": "a.js"})", {"node", "a.js"}},
      {R"({"script": "a.py", "args": "-x 'b c'"})", {"python3", "a.py", "-x", "b c"}},
      {R"({"script": "a.js", "interpreter": "none"})", {"a.js"}},
      {R"({"script": "a.js", "interpreter": "node@18"})", {"node", "a.js"}},
      {R"({"script": "here"})", {"./here"}},
      {R"({"script": "npm", "args": "start"})", {"npm", "start"}},
      {R"({"script": "npm run x"})", {"/bin/sh", "-c", "exec npm run x"}},
      {R"({"script": "a.js", "instance_var": "ID"})",
       {"/bin/sh", "-c", "exec env ID=\"$SERVAL_INSTANCE\" \"$@\"", "sh", "node", "a.js"}},
      {R"({"script": "a.js", "increment_var": "PORT"})",
       {"/bin/sh", "-c", "exec env PORT=$((PORT + SERVAL_INSTANCE)) \"$@\"", "sh", "node", "a.js"}},
  };
  for (const auto& row : table) {
    const auto program =
        program_of(row.app, {.file = "x", .is_file = [](const std::string& path) { return path == "here"; }});
    EXPECT_EQ(program.command, row.command) << row.app;
  }
}

TEST(Pm2, Names) {
  const auto name_of = [](std::string_view app, const std::string& environment = "") {
    return programs_in(toml_of(app, {.file = "x", .environment = environment})).begin()->first;
  };
  EXPECT_EQ(name_of(R"({"script": "dist/server.js"})"), "server");
  EXPECT_EQ(name_of(R"({"script": "./service-worker/"})"), "service-worker");
  EXPECT_EQ(name_of(R"({"script": "npm run x"})"), "npm");
  EXPECT_EQ(name_of(R"({"script": "/"})"), "program");
  EXPECT_EQ(name_of(R"({"script": "a.js", "name": "b", "name_prefix": "p-"})"), "p-b");
  EXPECT_EQ(name_of(R"({"script": "a.js", "append_env_to_name": true})", "test"), "a-test");
}

TEST(Pm2, InstancesAndEnvironments) {
  EXPECT_EQ(program_of(R"([{"script": "a.js", "instances": "max"}])").count, 4);
  EXPECT_EQ(program_of(R"([{"script": "a.js", "instances": -1}])").count, 3);
  EXPECT_EQ(program_of(R"([{"script": "a.js", "instances": 0, "exec_mode": "fork"}])").count, 4);
  EXPECT_EQ(program_of(R"([{"script": "a.js", "autostart": false}])").count, 0);
  EXPECT_THAT(program_of(R"([{"script": "a.js", "instances": 2, "exec_mode": "fork", "port": 80}])").listen,
              testing::IsEmpty());
  const auto program = program_of(R"({"script": "a.js", "env": {"A": "1"}, "env_test": {"A": "2"}})",
                                  {.file = "x", .environment = "test"});
  EXPECT_EQ(program.env.at("A"), "2");
  EXPECT_EQ(program_of(R"({"name": "x", "pm2": [{"script": "a.js"}]})").command.size(), 2u);
}

TEST(Pm2, Logs) {
  EXPECT_EQ(program_of(R"({"script": "a.js"})").log, "-");
  EXPECT_EQ(program_of(R"({"script": "a.js", "disable_logs": true})").log, "/dev/null");
  EXPECT_EQ(program_of(R"({"script": "a.js", "error": "/x/e.log"})").log, "/x/e.log");
  EXPECT_EQ(program_of(R"({"script": "a.js", "out": "o.log", "cwd": "there"})").log, "/srv/there/o.log");
  EXPECT_EQ(program_of(R"({"script": "a.js", "log": "~/o.log"})").log, "/home/x/o.log");
  EXPECT_EQ(program_of(R"({"script": "a.js", "log": "o.log", "merge_logs": true, "instances": 2})").log, "/srv/o.log");
}

TEST(Pm2, ValuesThatPm2CouldNotUseAreNamed) {
  const std::string toml = toml_of(
      R"({"script": "a.js", "instances": "many", "max_memory_restart": "lots", "kill_timeout": "soon", "min_uptime": "2h"})");
  for (const char* key : {"instances", "max_memory_restart", "kill_timeout"})
    EXPECT_THAT(toml, HasSubstr(std::string("Not taken over: ") + key));
  EXPECT_EQ(programs_in(toml).size(), 1u) << "an uptime beyond ready_timeout takes a longer one";
}

/// Whatever is in the file stands in the text: as a key of serval's, or by its name in a comment.
TEST(Pm2, NothingIsDroppedSilently) {
  for (const Pm2Field& field : pm2_fields()) {
    if (field.name == "script" || field.fate == Pm2Fate::mapped) {
      EXPECT_EQ(field.why, "") << field.name;
      continue;
    }
    EXPECT_NE(field.why, "") << field.name;
    const std::string app = R"({"script": "a.js", ")" + std::string(field.name) + R"(": "x"})";
    EXPECT_THAT(toml_of(app), HasSubstr("Not taken over: " + std::string(field.name))) << field.name;
  }
  EXPECT_EQ(find_pm2_field("err_log")->name, "error_file");
  EXPECT_EQ(find_pm2_field("nothing"), nullptr);
  EXPECT_EQ(find_pm2_field(""), nullptr);
}

TEST(Pm2, MappedOnesChangeTheText) {
  const std::map<std::string, std::string> values = {{"name", "\"z\""},
                                                     {"name_prefix", "\"z\""},
                                                     {"cwd", "\"z\""},
                                                     {"args", "\"z\""},
                                                     {"exec_interpreter", "\"z\""},
                                                     {"node_args", "\"z\""},
                                                     {"instances", "3"},
                                                     {"port", "1"},
                                                     {"uid", "\"z\""},
                                                     {"gid", "\"z\""},
                                                     {"autostart", "false"},
                                                     {"env", "{\"A\":\"z\"}"},
                                                     {"instance_var", "\"z\""},
                                                     {"increment_var", "\"z\""},
                                                     {"out_file", "\"z\""},
                                                     {"error_file", "\"z\""},
                                                     {"log_file", "\"z\""},
                                                     {"disable_logs", "true"},
                                                     {"log_type", "\"json\""},
                                                     {"autorestart", "false"},
                                                     {"stop_exit_codes", "3"},
                                                     {"min_uptime", "3"},
                                                     {"max_restarts", "3"},
                                                     {"max_memory_restart", "\"3M\""},
                                                     {"wait_ready", "true"},
                                                     {"listen_timeout", "3"},
                                                     {"kill_timeout", "3"}};
  const std::string plain = toml_of(R"({"script": "a.js"})");
  for (const Pm2Field& field : pm2_fields()) {
    if (field.fate != Pm2Fate::mapped) continue;
    const auto value = values.find(std::string(field.name));
    if (value == values.end()) {  // they count with others alone
      EXPECT_THAT((std::set<std::string_view>{"script", "exec_mode", "merge_logs", "append_env_to_name"}),
                  testing::Contains(field.name));
      continue;
    }
    EXPECT_NE(toml_of(R"({"script": "a.js", ")" + value->first + "\": " + value->second + "}"), plain) << field.name;
  }
}

TEST(Pm2, WhatIsNoneIsRefused) {
  EXPECT_FALSE(parse_pm2_json("module.exports = {}"));
  for (const char* text :
       {"{}", "[]", "3", "[1]", R"({"apps": []})", R"({"apps": [{"name": "x"}]})", R"([{"script": " "}])"})
    EXPECT_FALSE(pm2_to_toml(*parse_pm2_json(text), {})) << text;
  EXPECT_TRUE(parse_pm2_json("{\"apps\": [], /* as PM2 takes it */ }"));
}

TEST(Pm2, NoByteOfTheFileLeavesItsPlace) {
  const std::string toml = toml_of("{\"script\": \"a.js\\n[server]\", \"x\\n[admin]\": 1, \"name\": \"b\\n[c]\"}");
  EXPECT_THAT(toml, Not(HasSubstr("\n[server]")));
  EXPECT_THAT(toml, Not(HasSubstr("\n[admin]")));
  EXPECT_EQ(programs_in(toml).size(), 1u);
}

}  // namespace
}  // namespace serval::import
