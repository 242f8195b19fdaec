#include "control/commands.hpp"

#include <gmock/gmock.h>

namespace serval::control {
namespace {

using testing::HasSubstr;

constexpr Argument kArguments[] = {
    {.name = "slot", .kind = ArgumentKind::integer, .required = true, .min = 0, .max = INT32_MAX},
    {.name = "all", .kind = ArgumentKind::boolean},
    {.name = "why", .kind = ArgumentKind::text},
};
constexpr Command kCommand = {.order = Order::recycle, .name = "recycle", .arguments = kArguments};

TEST(Commands, AreFoundByName) {
  for (const Command& command : commands()) EXPECT_EQ(find_command(command.name), &command);
  EXPECT_EQ(find_command("dance"), nullptr);
  EXPECT_EQ(find_command(""), nullptr);
}

TEST(Commands, HaveARowEachInTheOrderOfTheEnum) {
  std::size_t i = 0;
  for (const Command& command : commands()) {
    EXPECT_EQ(static_cast<std::size_t>(command.order), i++) << command.name;
    EXPECT_EQ(&command_for(command.order), &command);
  }
  EXPECT_EQ(i, static_cast<std::size_t>(Order::profile) + 1);
}

TEST(Commands, AServerThatIsStoppingRefusesThoseThatWouldHaveNoEffect) {
  std::vector<std::string_view> refused;
  for (const Command& command : commands()) {
    if (!command.while_stopping) refused.push_back(command.name);
  }
  EXPECT_THAT(refused, testing::ElementsAre("start", "scale", "recycle", "drain", "undrain", "pause", "resume", "profile"));
}

TEST(Commands, OnlyStatusIsNotNoticed) {
  for (const Command& command : commands()) EXPECT_EQ(command.only_looks, command.name == "status") << command.name;
}

TEST(Commands, ArgumentsAreThoseOfTheTable) {
  EXPECT_TRUE(check_arguments(kCommand, {{"slot", 1}}));
  EXPECT_TRUE(check_arguments(kCommand, {{"slot", 1}, {"all", true}, {"why", "x"}}));
  struct Row {
    json::object arguments;
    const char* why;
  };
  const Row table[] = {
      {{}, "argument \"slot\" of recycle: it is missing"},
      {{{"slot", "1"}}, "argument \"slot\" of recycle: expected a whole number"},
      {{{"slot", 1.5}}, "expected a whole number"},
      {{{"slot", -1}}, "argument \"slot\" of recycle: -1 is not from 0 to 2147483647"},
      {{{"slot", INT64_MAX}}, "9223372036854775807 is not from 0 to 2147483647"},
      {{{"slot", 1}, {"all", 1}}, "argument \"all\" of recycle: expected a truth value"},
      {{{"slot", 1}, {"why", nullptr}}, "argument \"why\" of recycle: expected a text"},
      {{{"slot", 1}, {"slots", 1}}, "argument \"slots\" of recycle: there is none of this name"},
  };
  for (const Row& row : table) EXPECT_THAT(check_arguments(kCommand, row.arguments).error(), HasSubstr(row.why));
}

}  // namespace
}  // namespace serval::control
