#include "import/procfile.hpp"

#include <gmock/gmock.h>

#include "config/load.hpp"
#include "config/programs.hpp"

namespace serval::import {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What serval reads of it.
config::Programs programs_in(const std::string& toml) {
  config::Loaded loaded;
  const auto values = config::read_text(
      toml, "serval.toml", [](auto) { return std::nullopt; }, loaded.problems);
  if (values) config::read_programs(*values, "/srv", loaded);
  EXPECT_EQ(config::format_problems(loaded.problems, "error"), "") << toml;
  return loaded.config.programs;
}

TEST(Procfile, EachLineIsAProgram) {
  const auto toml = procfile_to_toml(
      "# comment\r\nweb: node server.js -p ${PORT:-3000}\r\n\nworker: a && b\nrelease: ./migrate \"x\"\napp: c\nodd "
      "line\n",
      {.has_env_file = true});
  ASSERT_TRUE(toml) << toml.error();
  const auto programs = programs_in(*toml);
  ASSERT_EQ(programs.size(), 3u);
  EXPECT_THAT(programs.at("web").command, ElementsAre("/bin/sh", "-c", "exec node server.js -p ${PORT:-3000}"));
  EXPECT_THAT(programs.at("web").env_file, ElementsAre("/srv/.env"));
  EXPECT_EQ(programs.at("web").env.at("PORT"), "5000");
  EXPECT_THAT(programs.at("the-worker").command, ElementsAre("/bin/sh", "-c", "a && b"));
  EXPECT_EQ(programs.at("the-worker").env.at("PORT"), "5100");
  EXPECT_EQ(programs.at("the-app").env.at("PORT"), "5300");
  EXPECT_THAT(*toml, HasSubstr("#   serval exec /bin/sh -c \"./migrate \\\"x\\\"\""));
  EXPECT_THAT(*toml, HasSubstr("# Line 7 is left out"));
  EXPECT_THAT(*toml, HasSubstr("A shell stays in front"));
}

TEST(Procfile, PortsBeginWhereTheEnvironmentSays) {
  EXPECT_EQ(programs_in(*procfile_to_toml("web: x", {.port = "8080"})).at("web").env.at("PORT"), "8080");
  EXPECT_EQ(programs_in(*procfile_to_toml("web: x", {.port = "none"})).at("web").env.at("PORT"), "5000");
  EXPECT_THAT(programs_in(*procfile_to_toml("web: x", {})).at("web").env_file, testing::IsEmpty());
}

TEST(Procfile, WhatIsNoneIsRefused) {
  for (const char* text : {"", "# nothing\n", "no colon", "release: only\n"})
    EXPECT_FALSE(procfile_to_toml(text, {})) << text;
  EXPECT_FALSE(procfile_to_toml(std::string("web: a\0b", 8), {}));
}

}  // namespace
}  // namespace serval::import
