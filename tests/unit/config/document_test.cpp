#include "config/document.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "config/decode.hpp"
#include "config/file.hpp"
#include "config/programs.hpp"

namespace serval::config {
namespace {

using testing::HasSubstr;

FileValues values_of(const std::string& text) {
  std::vector<Problem> problems;
  auto values = read_text(text, "generated", [](std::string_view) { return std::nullopt; }, problems);
  EXPECT_EQ(format_problems(problems, "error"), "");
  return values.value_or(FileValues{});
}

TEST(Document, SampleIsTheCommittedExample) {
  std::ifstream file(SERVAL_SAMPLE_FILE);
  std::ostringstream committed;
  committed << file.rdbuf();
  EXPECT_EQ(committed.str(), sample_file()) << "write it anew: serval document sample > examples/serval.toml";
}

TEST(Document, SampleWithoutCommentMarksSetsEveryOptionToItsDefault) {
  std::istringstream lines(sample_file());
  std::string text, line;
  while (std::getline(lines, line)) {
    const bool option = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    text += (option ? line.substr(1) : line) + '\n';
  }
  const auto values = values_of(text);
  constexpr std::size_t kOneTable = 1;
  EXPECT_EQ(values.size(), options().size() + kOneTable + program_options().size());
  Loaded loaded;
  for (const auto& value : values) {
    if (value.program.empty()) decode(*value.option, value.raw, loaded.config, loaded.problems);
  }
  read_programs(values, "", loaded);
  EXPECT_EQ(format_problems(loaded.problems, "error"), "");
  loaded.config.app.library.clear();
  Config expected;
  expected.programs["mailer"].command = {"./mailer", "--queue", "default"};
  EXPECT_EQ(to_text(loaded.config), to_text(expected));
}

TEST(Document, EveryExampleIsAValueOfItsOption) {
  for (const auto& option : options()) {
    const auto text = "[" + std::string(section_of(option.path)) + "]\n" + std::string(key_of(option.path)) + " = " +
                      std::string(option.example);
    for (const auto& value : values_of(text)) {
      Config config;
      std::vector<Problem> problems;
      EXPECT_TRUE(decode(option, value.raw, config, problems))
          << option.path << ": " << format_problems(problems, "error");
    }
  }
}

TEST(Document, EffectiveFileLoadsToTheSameValues) {
  Sources sources;
  sources.working_directory = "/srv";
  sources.flags = {{"app.library", "libshop.so"},  {"app.args", "a\nb ${X} $${Y}"}, {"app.env", "A b=1=2\"\\"},
                   {"server.bind", "[::]:80"},     {"workers.count", "3"},          {"request.timeout", "1h30m"},
                   {"request.max_body", "0"}};
  const auto loaded = load(sources);
  ASSERT_EQ(format_problems(loaded.problems, "error"), "");
  Config config;
  std::vector<Problem> problems;
  for (const auto& value : values_of(effective_file(loaded, true, true))) {
    decode(*value.option, value.raw, config, problems);
  }
  EXPECT_EQ(format_problems(problems, "error"), "");
  EXPECT_EQ(to_text(config), to_text(loaded.config));
}

TEST(Document, OriginsAreShownBesideTheirValues) {
  Sources sources;
  sources.working_directory = "/srv";
  sources.flags = {{"app.library", "libshop.so"}};
  sources.environment = {{"SERVAL_WORKERS_THREADS", "9"}};
  const auto text = effective_file(load(sources), true, false);
  EXPECT_THAT(text, testing::ContainsRegex("threads = 9 +# environment SERVAL_WORKERS_THREADS\n"));
  EXPECT_THAT(text, testing::ContainsRegex("library = \"/srv/libshop.so\" +# flag --app.library\n"));
  EXPECT_THAT(text, testing::ContainsRegex("queue = 128 +# default\n"));
  EXPECT_THAT(effective_file(load(sources), false, false), testing::Not(HasSubstr("#")));
}

TEST(Document, WhatMayBeSecretIsHiddenUnlessAskedFor) {
  Sources sources;
  sources.working_directory = "/srv";
  sources.flags = {{"app.library", "libshop.so"}, {"app.env", "TOKEN=geheim"}, {"app.args", "--key=geheim"}};
  const auto text = effective_file(load(sources), true, false);
  EXPECT_THAT(text, testing::Not(HasSubstr("geheim")));
  EXPECT_THAT(text, testing::StartsWith("# What may be secret is hidden"));
  EXPECT_THAT(text, HasSubstr("env = { TOKEN = \"(hidden)\" }"));
  EXPECT_THAT(text, HasSubstr("args = [\"(hidden)\"]"));
  EXPECT_THAT(effective_file(load(sources), false, true), HasSubstr("env = { TOKEN = \"geheim\" }"));
}

TEST(Document, HelpAndManualNameEveryOption) {
  for (const auto& option : options()) {
    EXPECT_THAT(help_of_flags(), HasSubstr("--" + std::string(option.path) + " ")) << option.path;
    EXPECT_THAT(man_of_options(), HasSubstr(".Fl -" + std::string(option.path) + " ")) << option.path;
  }
  for (const auto name : reserved_names()) EXPECT_THAT(man_of_reserved_names(), HasSubstr(std::string(name)));
}

TEST(Document, ManTextEscapesWhatMdocWouldRead) {
  EXPECT_EQ(man_text("One. Two \\n."), "One.\nTwo \\en.\n");
  EXPECT_EQ(man_text(".Sh no"), "\\&.Sh no\n");
}

}  // namespace
}  // namespace serval::config
