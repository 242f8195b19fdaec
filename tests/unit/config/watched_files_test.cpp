#include "config/watched_files.hpp"

#include <gmock/gmock.h>

#include <set>

namespace serval::config {
namespace {

using testing::ElementsAre;

Program program(std::vector<std::string> command, std::string folder) {
  Program program;
  program.command = std::move(command);
  program.working_directory = std::move(folder);
  return program;
}

TEST(WatchedFiles, AreTheConfigurationTheLibraryAndWhatProgramsRun) {
  const std::set<std::string> there = {"/srv/mailer", "/srv/web/server.js", "/usr/bin/python3", "/srv/web/node"};
  const auto is_file = [&](const std::string& path) { return there.contains(path); };
  Config config;
  config.app.library = "/srv/shop.so";
  config.programs["mail"] = program({"./mailer", "--queue", "default"}, "/srv");
  config.programs["web"] = program({"node", "--title", "server.js"}, "/srv/web");
  config.programs["other"] = program({"/usr/bin/python3", "-m", "gone.py"}, "/srv");
  EXPECT_THAT(watched_files(config, "/srv/serval.toml", is_file),
              ElementsAre(WatchedFile{"/srv/serval.toml", ""}, WatchedFile{"/srv/shop.so", ""},
                          WatchedFile{"/srv/mailer", "mail"}, WatchedFile{"/usr/bin/python3", "other"},
                          WatchedFile{"/srv/web/server.js", "web"}));
}

TEST(WatchedFiles, WithoutAFileAndAnAppThereAreThoseOfPrograms) {
  Config config;
  config.programs["mail"] = program({"./mailer", "./mailer"}, "/srv");
  EXPECT_THAT(watched_files(config, "", [](const std::string&) { return true; }),
              ElementsAre(WatchedFile{"/srv/mailer", "mail"}));
}

}  // namespace
}  // namespace serval::config
