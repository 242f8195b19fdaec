#include "cli/commands.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "base/exit_code.hpp"
#include "base/signal_table.hpp"
#include "base/text.hpp"
#include "cli/cli.hpp"
#include "cli/help.hpp"
#include "config/options.hpp"
#include "config/peer_words.hpp"

namespace serval::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome serval(std::vector<std::string> words) {
  words.insert(words.begin(), "serval");
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run_cli(static_cast<int>(argv.size()), argv.data());
  auto out = testing::internal::GetCapturedStdout();
  return {code, std::move(out), testing::internal::GetCapturedStderr()};
}

TEST(Commands, HelpListsEachServedOneAndNoOther) {
  const auto text = help_of_serval();
  for (const auto& command : commands()) {
    const auto entry = "  serval " + std::string(command.name) + " ";
    if (command.hidden) {
      EXPECT_THAT(text, Not(HasSubstr(entry)));
    } else {
      EXPECT_THAT(text, HasSubstr(entry));
    }
  }
  for (const auto name : later_commands()) {
    EXPECT_EQ(find_command(name), nullptr) << name;
    EXPECT_THAT(text, Not(HasSubstr("serval " + std::string(name) + " ")));
  }
}

TEST(Commands, EachCanBeExplained) {
  for (const auto& command : commands()) {
    const auto outcome = serval({"help", std::string(command.name)});
    EXPECT_EQ(outcome.code, exit_code::ok);
    EXPECT_THAT(outcome.out, StartsWith("Usage: serval " + std::string(command.name)));
    EXPECT_EQ(outcome.out, serval({std::string(command.name), "--help"}).out);
  }
}

TEST(Commands, LaterOnesSaySo) {
  for (const auto name : later_commands()) {
    const auto outcome = serval({std::string(name)});
    EXPECT_EQ(outcome.code, exit_code::usage);
    EXPECT_THAT(outcome.err, StartsWith("serval " + std::string(name) + ": not in this version\n"));
  }
}

TEST(Commands, UnknownOnesNameTheNearest) {
  EXPECT_EQ(serval({}).code, exit_code::usage);
  EXPECT_EQ(serval({"chekc"}).code, exit_code::usage);
  EXPECT_THAT(serval({"chekc"}).err, HasSubstr("did you mean serval check?"));
  EXPECT_THAT(serval({"libshop.so"}).err, HasSubstr("serval run libshop.so"));
  EXPECT_THAT(serval({"help", "nothing"}).err, HasSubstr("there is no command \"nothing\""));
}

TEST(Commands, WhatOtherServersCallThemIsHintedAt) {
  const std::pair<const char*, const char*> table[] = {{"restart", "hint: serval reload replaces"},
                                                       {"ls", "hint: serval list shows"},
                                                       {"ps", "hint: serval status shows"},
                                                       {"-v", "hint: serval version"},
                                                       {"-t", "hint: serval check"},
                                                       {"-s", "hint: serval reload"},
                                                       {"-b", "hint: flags follow the command, as in serval run -b"},
                                                       {"--threads", "hint: flags follow the command"}};
  for (const auto& [word, hint] : table) {
    EXPECT_EQ(serval({word}).code, exit_code::usage);
    EXPECT_THAT(serval({word}).err, HasSubstr(hint));
  }
  for (const auto& word : config::kPeerWords) {
    EXPECT_FALSE(word.place == config::PeerWord::Place::command && find_command(word.typed) != nullptr) << word.typed;
    EXPECT_FALSE(word.place == config::PeerWord::Place::key && config::find_option(word.typed) != nullptr)
        << word.typed;
  }
}

TEST(Commands, HelpFitsATerminal) {
  std::vector<std::vector<std::string>> pages = {{"help"}, {"help", "signals"}};
  for (const auto& command : commands()) pages.push_back({"help", std::string(command.name)});
  for (const auto& page : pages) {
    const std::string text = serval(page).out;
    for (const auto line : split(text, '\n')) EXPECT_LE(line.size(), kTerminalColumns) << page.back() << ": " << line;
  }
}

TEST(Commands, TheManualHasEachInItsSynopsis) {
  const std::string path = testing::TempDir() + "serval_synopsis.1.in";
  std::ofstream(path) << "@SYNOPSIS@\n@COMMANDS@\n";
  const std::string page = serval({"document", "man", path}).out;
  const std::string synopsis = page.substr(0, page.find(".Bl"));
  for (const auto& command : commands()) {
    const std::string entry = ".Nm\n.Cm " + std::string(command.name) + '\n';
    if (command.hidden) {
      EXPECT_THAT(synopsis, Not(HasSubstr(entry)));
    } else {
      EXPECT_THAT(synopsis, HasSubstr(entry));
    }
  }
  EXPECT_THAT(
      synopsis,
      HasSubstr(
          ".Cm reload\n.Ar [PROGRAM]\n.Op Fl -timeout Ar DURATION\n.Op Fl c Ar FILE\n.Op Fl -socket Ar PATH\n.Op Fl -name Ar NAME\n"));
  EXPECT_THAT(page, HasSubstr(".It Nm Cm reload Ar [PROGRAM] Oo Fl -timeout Ar DURATION Oc Oo Fl c Ar FILE Oc Oo Fl -socket Ar PATH "
                              "Oc Oo Fl -name Ar NAME Oc\n"));
  std::remove(path.c_str());
}

TEST(Commands, VersionAndHelpAnswerToTheirUsualSpellings) {
  EXPECT_THAT(serval({"version"}).out, StartsWith("serval "));
  for (const auto* word : {"--version", "-V"}) EXPECT_EQ(serval({word}).out, serval({"version"}).out);
  for (const auto* word : {"--help", "-h"}) EXPECT_EQ(serval({word}).out, help_of_serval());
}

TEST(Commands, HelpOnSignalsHasARowForEach) {
  const auto text = serval({"help", "signals"}).out;
  for (const auto& row : kSignalTable) EXPECT_THAT(text, HasSubstr("\n" + std::string(row.name) + " "));
}

TEST(Commands, ConfigShowsWhatCheckWouldUse) {
  const auto shown = serval({"config", "-c", "/dev/null", "--app.library", "/x/libshop.so", "-t", "3", "--origin"});
  EXPECT_EQ(shown.code, exit_code::ok) << shown.err;
  EXPECT_THAT(shown.out, testing::ContainsRegex("threads = 3 +# flag --workers.threads\n"));
  EXPECT_THAT(shown.out, HasSubstr("name = \"shop\""));
}

TEST(Commands, AHealthcheckFailsWithOneCodeAndOneLine) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"--socket", "/nowhere/s.sock"}, {"-c", "/nowhere/serval.toml"}, {"-c", "/dev/null"}}) {
    for (const bool ready : {false, true}) {
      std::vector<std::string> line = {"healthcheck"};
      line.insert(line.end(), words.begin(), words.end());
      if (ready) line.emplace_back("--ready");
      const auto outcome = serval(line);
      EXPECT_EQ(outcome.code, exit_code::app_failed) << words[1];
      EXPECT_EQ(outcome.out, "");
      EXPECT_THAT(outcome.err, StartsWith("serval healthcheck: ")) << words[1];
      EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    }
  }
  EXPECT_EQ(serval({"healthcheck", "--redy"}).code, exit_code::usage);
}

TEST(Commands, BadConfigsEndWithTheirExitCode) {
  for (const auto* command : {"run", "check", "config"}) {
    const auto outcome = serval({command, "-c", "/nowhere/serval.toml"});
    EXPECT_EQ(outcome.code, exit_code::config) << command;
    EXPECT_THAT(outcome.err,
                StartsWith("/nowhere/serval.toml: error: cannot read the configuration: No such file or directory\n"));
  }
}

}  // namespace
}  // namespace serval::cli
