#include "config/reading.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace serval::config {
namespace {

TEST(Reading, SourcesComeBackTheSame) {
  Sources sources;
  sources.file = "x/caf\xe9.toml";  // not UTF-8: a path may be anything
  sources.flags = {{"server.bind", "\"quoted\""}, {"server.bind", "second"}};
  sources.environment = {{"A", "1\n2"}, {"B", ""}};
  sources.working_directory = "/srv/current";
  const auto back = read_sources(write_sources(sources));
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(back->file, sources.file);
  EXPECT_EQ(back->flags, sources.flags);
  EXPECT_EQ(back->environment, sources.environment);
  EXPECT_EQ(back->working_directory, sources.working_directory);
  sources.file.reset();
  EXPECT_EQ(read_sources(write_sources(sources))->file, std::nullopt);
}

TEST(Reading, ComesBackTheSame) {
  Reading reading;
  reading.config.app.env = {{"A", "\xff\n"}};
  reading.config.workers.threads = 9;
  reading.config.from_variables = {"workers.threads"};
  reading.problems = "x.toml:1:1: error: no\n";
  reading.file = "/srv/current/x.toml";
  reading.real_file = "/srv/7/x.toml";
  const auto back = read_reading(write_reading(reading));
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(to_text(back->config), to_text(reading.config));
  EXPECT_EQ(back->config.from_variables, reading.config.from_variables);
  EXPECT_EQ(back->problems, reading.problems);
  EXPECT_EQ(back->file, reading.file);
  EXPECT_EQ(back->real_file, reading.real_file);
}

TEST(Reading, WhatIsNoneIsRefused) {
  for (const char* text : {"", "{", "[]", "3", "{}", "{\"config\":[[\"workers.threads\",\"none\"]]}",
                           "{\"config\":[[\"no.such\",\"1\"]]}"}) {
    EXPECT_FALSE(read_reading(text)) << text;
    EXPECT_FALSE(read_sources(text)) << text;
  }
}

TEST(Reading, FollowsLinksAnew) {
  namespace fs = std::filesystem;
  std::string folder = testing::TempDir() + "serval_reading_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  for (const char* release : {"7", "8"}) {
    fs::create_directory(folder + "/" + release);
    std::ofstream(folder + "/" + release + "/serval.toml") << "[app]\nlibrary = \"lib" << release << ".so\"\n";
  }
  Sources sources;
  sources.file = "serval.toml";
  sources.working_directory = folder + "/current";
  fs::create_directory_symlink("7", sources.working_directory);
  EXPECT_EQ(read(sources).real_file, fs::canonical(folder).string() + "/7/serval.toml");
  fs::remove(sources.working_directory);
  fs::create_directory_symlink("8", sources.working_directory);
  const Reading reading = read(sources);
  EXPECT_EQ(reading.real_file, fs::canonical(folder).string() + "/8/serval.toml");
  EXPECT_EQ(reading.file, folder + "/current/serval.toml");
  EXPECT_EQ(reading.config.app.library, folder + "/current/lib8.so");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace serval::config
