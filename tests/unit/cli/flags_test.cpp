#include "cli/flags.hpp"

#include <gmock/gmock.h>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"

namespace serval::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

auto read(const Subcommand& command, std::vector<std::string> arguments) {
  for (std::size_t i = 0; i < command.min_words; ++i) arguments.emplace_back("1");
  return read_command_line(command, std::move(arguments), {}, "/nowhere");
}

std::string what_is_wrong(const Subcommand& command, std::vector<std::string> arguments) {
  const auto line = read(command, std::move(arguments));
  const auto* misuse = std::get_if<Misuse>(&line);
  return misuse == nullptr ? "" : misuse->what;
}

std::vector<std::string> spelled(const FlagRow& row) {
  std::vector<std::string> words = {short_form(row)};
  if (!row.placeholder.empty()) words.emplace_back("x");
  return words;
}

TEST(Flags, HaveARowEachInTheOrderOfTheEnum) {
  std::size_t i = 0;
  for (const FlagRow& row : flag_table()) EXPECT_EQ(static_cast<std::size_t>(row.flag), i++);
  EXPECT_EQ(i, static_cast<std::size_t>(Flag::verbose) + 1);
}

TEST(Flags, AreSpelledAsWhereTheyAreShown) {
  const FlagRow both = {
      .flag = Flag::config, .short_name = 'c', .long_name = "config", .placeholder = "FILE", .summary = ""};
  EXPECT_EQ(short_form(both), "-c");
  EXPECT_EQ(long_form(both), "--config");
  EXPECT_EQ(all_forms(both), "-c, --config FILE");
  const FlagRow long_only = {.flag = Flag::json, .long_name = "json", .summary = ""};
  EXPECT_EQ(short_form(long_only), "--json");
  EXPECT_EQ(all_forms(long_only), "--json");
  const FlagRow short_only = {.flag = Flag::quiet, .short_name = 'q', .summary = ""};
  EXPECT_EQ(long_form(short_only), "-q");
  EXPECT_EQ(all_forms(short_only), "-q");
}

TEST(Flags, ACommandTakesThoseOfItsRowAndNoOthers) {
  for (const Subcommand& command : commands()) {
    for (const FlagRow& row : flag_table()) {
      // The two flags -c are one to whoever types them.
      const bool same =
          row.long_name == "config" && (command.flags.has(Flag::config) || command.flags.has(Flag::server_config));
      const bool is_option = command.takes_config() && row.long_name.empty();
      const std::string wrong = what_is_wrong(command, spelled(row));
      if (command.flags.has(row.flag) || same || is_option) {
        EXPECT_EQ(wrong, "") << command.name << ' ' << short_form(row);
      } else {
        EXPECT_EQ(wrong, "unknown flag " + short_form(row)) << command.name;
      }
    }
  }
}

TEST(Flags, GoWhereTheirRowSays) {
  for (const Subcommand& command : commands()) {
    for (const FlagRow& row : flag_table()) {
      if (!command.flags.has(row.flag)) continue;
      const auto line = read(command, spelled(row));
      const auto* invocation = std::get_if<Invocation>(&line);
      ASSERT_NE(invocation, nullptr) << command.name << ' ' << short_form(row);
      if (row.given != nullptr) {
        EXPECT_TRUE(invocation->*row.given) << short_form(row);
      } else if (row.value != nullptr) {
        EXPECT_EQ(invocation->*row.value, "x") << short_form(row);
      } else if (!row.level.empty()) {
        EXPECT_EQ(invocation->sources.flags.back(), std::pair(std::string("log.level"), std::string(row.level)));
      } else {
        EXPECT_EQ(invocation->sources.file, "x");
      }
    }
  }
}

TEST(Flags, WithAValueAreGivenOnce) {
  for (const Subcommand& command : commands()) {
    for (const FlagRow& row : flag_table()) {
      if (!command.flags.has(row.flag) || row.placeholder.empty()) continue;
      EXPECT_FALSE(row.once.empty()) << short_form(row);
      EXPECT_EQ(what_is_wrong(command, {short_form(row), "x", short_form(row), "y"}),
                short_form(row) + " was given more than once")
          << command.name;
    }
  }
}

TEST(Flags, AreInTheHelpOfTheCommandsThatTakeThem) {
  for (const Subcommand& command : commands()) {
    const std::string help = help_of(command);
    for (const FlagRow& row : flag_table()) {
      const std::string entry = (row.short_name == 0 ? "\n      " : "\n  ") + all_forms(row) + ' ';
      if (command.flags.has(row.flag)) {
        EXPECT_THAT(help, HasSubstr(entry)) << command.name;
      } else if (row.long_name != "config") {  // there are two of this name
        EXPECT_THAT(help, Not(HasSubstr(entry))) << command.name;
      }
    }
  }
}

}  // namespace
}  // namespace serval::cli
