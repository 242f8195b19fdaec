#include "cli/request.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

namespace serval::cli {
namespace {

/// The request as JSON, or what is wrong and the hint.
std::string request_for(const char* name, std::vector<std::string> words) {
  const Subcommand& command = *find_command(name);
  const auto line = read_command_line(command, std::move(words), {}, "/nowhere");
  const auto request = make_request(command, *control::find_command(name), std::get<Invocation>(line));
  if (const auto* misuse = std::get_if<Misuse>(&request)) return misuse->what + "; " + misuse->hint;
  const auto& made = std::get<control::Request>(request);
  EXPECT_EQ(made.command, name);
  return boost::json::serialize(made.arguments);
}

TEST(Request, IsMadeOfWordsAndFlags) {
  struct Row {
    const char* command;
    std::vector<std::string> words;
    std::string expected;
  };
  const std::string workers = " is no number of workers; for example serval scale 8, or +1, or -1, or mailer=3";
  const std::string recycled = " is no slot; serval recycle 0, or serval recycle all, or a program's name";
  const std::string seen = " is no slot; serval stacks 0, or serval stacks for all workers";
  const Row table[] = {
      {"status", {}, "{}"},
      {"status", {"--json"}, "{}"},
      {"stop", {}, R"({"now":false})"},
      {"stop", {"--now"}, R"({"now":true})"},
      {"stop", {"mailer"}, R"({"now":false,"program":"mailer"})"},
      {"stop", {"2nd"}, "\"2nd\" is no program; serval stop mailer, or serval stop for the server"},
      {"start", {"mailer"}, R"({"program":"mailer"})"},
      {"reload", {}, "{}"},
      {"reload", {"mailer"}, R"({"program":"mailer"})"},
      {"scale", {"mailer=3"}, R"({"program":"mailer","to":3})"},
      {"scale", {"mailer=+1"}, R"({"program":"mailer","by":1})"},
      {"scale", {"mailer=-1"}, R"({"program":"mailer","by":-1})"},
      {"scale", {"mailer=x"}, "\"mailer=x\"" + workers},
      {"scale", {"mailer="}, "\"mailer=\"" + workers},
      {"scale", {"=3"}, "\"=3\"" + workers},
      {"scale", {"8"}, R"({"to":8})"},
      {"scale", {"0"}, R"({"to":0})"},
      {"scale", {"+1"}, R"({"by":1})"},
      {"scale", {"-1"}, R"({"by":-1})"},
      {"scale", {"x"}, "\"x\"" + workers},
      {"scale", {"8x"}, "\"8x\"" + workers},
      {"scale", {"+"}, "\"+\"" + workers},
      {"scale", {"+-1"}, "\"+-1\"" + workers},
      {"scale", {"++1"}, "\"++1\"" + workers},
      {"scale", {"all"}, "\"all\"" + workers},
      {"scale", {""}, "\"\"" + workers},
      {"scale", {"99999999999999999999"}, "\"99999999999999999999\"" + workers},
      {"recycle", {"0"}, R"({"slot":0})"},
      {"recycle", {"all"}, "{}"},
      {"recycle", {"-1"}, "\"-1\"" + recycled},
      {"recycle", {"mailer"}, R"({"program":"mailer"})"},
      {"recycle", {"2nd"}, "\"2nd\"" + recycled},
      {"stacks", {}, "{}"},
      {"stacks", {"3"}, R"({"slot":3})"},
      {"stacks", {"all"}, "\"all\"" + seen},
      {"stacks", {"99999999999"}, "\"99999999999\"" + seen},
      {"stacks", {"-3"}, "\"-3\"" + seen},
      {"profile", {}, R"({"cpu":false})"},
      {"profile", {"3"}, R"({"slot":3,"cpu":false})"},
      {"profile", {"all"}, "\"all\" is no slot; serval profile 0, or serval profile for all workers"},
      {"stacks", {"+3"}, "\"+3\"" + seen},
      {"drain", {}, "{}"},
  };
  for (const Row& row : table) EXPECT_EQ(request_for(row.command, row.words), row.expected) << row.command;
}

TEST(Request, EachCommandOfTheServerIsOneOfTheCommandLine) {
  for (const control::Command& order : control::commands()) {
    const Subcommand* command = find_command(order.name);
    ASSERT_NE(command, nullptr) << order.name;
    EXPECT_TRUE(command->takes_server()) << order.name;
    const bool takes_word =
        std::any_of(order.arguments.begin(), order.arguments.end(), [](const control::Argument& argument) {
          return argument.spelling != control::Spelling::none && argument.spelling != control::Spelling::flag;
        });
    EXPECT_EQ(command->max_words, takes_word ? 1u : 0u) << order.name;
    EXPECT_EQ(command->word.empty(), !takes_word) << order.name;
    EXPECT_EQ(command->word_hint.empty(), !takes_word) << order.name;
  }
  for (const Subcommand& command : commands()) {
    const bool asks_for_status = command.name == "healthcheck" || command.name == "logs" || command.name == "top";
    if (!command.takes_server() || asks_for_status) continue;
    EXPECT_NE(control::find_command(command.name), nullptr) << command.name;
  }
}

}  // namespace
}  // namespace serval::cli
