#include "config/env_files.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "config/diff.hpp"
#include "config/document.hpp"
#include "config/load.hpp"
#include "config/reading.hpp"

namespace serval::config {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

struct EnvFiles : testing::Test {
  EnvFiles() { folder = ::mkdtemp(folder.data()); }
  ~EnvFiles() override { fs::remove_all(folder); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder + "/" + name) << text; }
  Loaded load_text(const std::string& text) {
    write("serval.toml", text);
    sources.file = "serval.toml";
    sources.working_directory = folder;
    return load(sources);
  }
  std::string problems(const std::string& text) { return format_problems(load_text(text).problems, "error"); }

  std::string folder = testing::TempDir() + "serval_env_XXXXXX";
  Sources sources;
};

constexpr const char* kApp = "[app]\nlibrary = \"libshop.so\"\n";

TEST_F(EnvFiles, TheTableWinsAndThenTheLaterFile) {
  write("a.env", "ONE=a\nTWO=a\nTHREE=a\n");
  write("b.env", "TWO=b\nTHREE=b\n");
  const auto loaded = load_text(std::string(kApp) +
                                "env = { THREE = \"table\" }\nenv_file = [\"a.env\", \"./b.env\", \"-c.env\"]\n"
                                "[programs.it]\ncommand = [\"sleep\"]\nenv_file = \"b.env\"\n");
  ASSERT_EQ(format_problems(loaded.problems, "error"), "");
  EXPECT_THAT(loaded.config.app.environment(), ElementsAre(Pair("ONE", "a"), Pair("THREE", "table"), Pair("TWO", "b")));
  EXPECT_THAT(loaded.config.programs.at("it").environment(), ElementsAre(Pair("THREE", "b"), Pair("TWO", "b")));
  EXPECT_THAT(loaded.config.app.env_file, ElementsAre(folder + "/a.env", folder + "/b.env", "-" + folder + "/c.env"));
  ASSERT_EQ(loaded.env_files.size(), 4u);
  EXPECT_EQ(loaded.env_files[0].variables, 3u);
  EXPECT_TRUE(loaded.env_files[2].missing);
  EXPECT_EQ(loaded.env_files[3].option, "programs.it.env_file");
}

TEST_F(EnvFiles, ChangeNoOptionOfServals) {
  write(".env", "PORT=1234\nSERVAL_WORKERS_THREADS=9\nWEB_CONCURRENCY=7\n");
  const auto loaded = load_text(std::string(kApp) + "env_file = \".env\"\n");
  EXPECT_THAT(loaded.config.server.bind, ElementsAre("0.0.0.0:8000"));
  EXPECT_NE(loaded.config.workers.threads, 9);
  EXPECT_FALSE(loaded.config.workers.count.has_value());
}

TEST_F(EnvFiles, FromTheCommandLineTheyStartAtTheWorkingDirectory) {
  write(".env", "A=1\n");
  sources.flags = {{"app.library", "x.so"}, {"app.env_file", ".env"}};
  sources.working_directory = folder;
  const auto loaded = load(sources);
  EXPECT_EQ(format_problems(loaded.problems, "error"), "");
  EXPECT_THAT(loaded.config.app.environment(), ElementsAre(Pair("A", "1")));
}

TEST_F(EnvFiles, WhatIsWrongHasItsPlace) {
  write("bad.env", "A=1\ngeheim\n");
  write("big.env", std::string(1024 * 1024 + 1, '#'));
  fs::create_directory(folder + "/folder");
  ASSERT_EQ(::mkfifo((folder + "/pipe").c_str(), 0600), 0);
  const std::string app = kApp;
  EXPECT_THAT(problems(app + "env_file = \"bad.env\"\n"),
              testing::AllOf(HasSubstr(folder + "/bad.env:2:1: error: expected NAME=VALUE"), Not(HasSubstr("geheim"))));
  EXPECT_THAT(problems(app + "env_file = \"none.env\"\n"),
              testing::AllOf(HasSubstr("serval.toml:3:"), HasSubstr("there is no file"), HasSubstr("may be missing")));
  EXPECT_THAT(problems(app + "env_file = \"-big.env\"\n"), HasSubstr("it has more than 1MiB"));
  EXPECT_THAT(problems(app + "env_file = \"-folder\"\n"), HasSubstr("it is no regular file"));
  EXPECT_THAT(problems(app + "env_file = \"pipe\"\n"), HasSubstr("it is no regular file"));
  EXPECT_THAT(problems(app + "env_file = \"-\"\n"), HasSubstr("expected a path"));
  EXPECT_THAT(problems("[programs.it]\ncommand = [\"x\"]\nenv_file = [\"none\"]\n"),
              HasSubstr("programs.it.env_file: there is no file"));
}

TEST_F(EnvFiles, CrossToTheMasterAndAreSeenAsAChange) {
  write(".env", "A=geheim1\n");
  const std::string text = std::string(kApp) +
                           "env_file = \".env\"\n[programs.it]\ncommand = [\"x\"]\nenv_file = \".env\"\n"
                           "[programs.other]\ncommand = [\"x\"]\n";
  const auto before = load_text(text);
  write(".env", "A=geheim2\n");
  const auto after = load_text(text);
  const auto back = read_reading(write_reading({.config = after.config, .problems = {}, .file = {}, .real_file = {}}));
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(back->config.programs, after.config.programs);
  EXPECT_EQ(back->config.app.environment(), after.config.app.environment());
  std::vector<std::string> seen;
  for (const Change& change : changes(before.config, back->config)) {
    seen.push_back(change.key + " " + std::string(change.how));
    EXPECT_EQ(change.before + change.after, "");
  }
  EXPECT_THAT(seen, ElementsAre("app.env_file changed", "programs.it.env_file changed"));
  EXPECT_THAT(changes(after.config, back->config), testing::IsEmpty());
}

}  // namespace
}  // namespace serval::config
