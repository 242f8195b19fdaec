#include "control/commands.hpp"

#include <algorithm>
#include <boost/json/value.hpp>

#include "base/text.hpp"

namespace serval::control {
namespace {

constexpr std::int64_t kMost = INT32_MAX;  ///< no sum of these overflows; how many workers and slots there may be, the handlers know

constexpr Argument kStatusArguments[] = {{"memory", ArgumentKind::boolean}};
constexpr Argument kStopArguments[] = {{"now", ArgumentKind::boolean}};
constexpr Argument kScaleArguments[] = {{"to", ArgumentKind::integer, false, -kMost, kMost}, {"by", ArgumentKind::integer, false, -kMost, kMost}};
constexpr Argument kRecycleArguments[] = {{"slot", ArgumentKind::integer, false, 0, kMost}};
constexpr Argument kStacksArguments[] = {{"slot", ArgumentKind::integer, false, 0, kMost}};

constexpr Command kCommands[] = {
    {.name = "status", .arguments = kStatusArguments, .only_looks = true},
    {.name = "reload"},
    {.name = "stop", .arguments = kStopArguments},
    {.name = "scale", .arguments = kScaleArguments},
    {.name = "recycle", .arguments = kRecycleArguments},
    {.name = "reopen"},
    {.name = "drain"},
    {.name = "undrain"},
    {.name = "pause"},
    {.name = "resume"},
    {.name = "upgrade"},
    {.name = "stacks", .arguments = kStacksArguments},
};

bool is_of(ArgumentKind kind, const json::value& value) {
  switch (kind) {
    case ArgumentKind::boolean: return value.is_bool();
    case ArgumentKind::integer: return value.is_int64();
    case ArgumentKind::text: return value.is_string();
  }
  return false;
}

}  // namespace

std::string_view name_of(ArgumentKind kind) {
  switch (kind) {
    case ArgumentKind::boolean: return "truth value";
    case ArgumentKind::integer: return "whole number";
    case ArgumentKind::text: return "text";
  }
  return "?";
}

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  const auto found = std::find_if(std::begin(kCommands), std::end(kCommands), [name](const Command& command) { return command.name == name; });
  return found == std::end(kCommands) ? nullptr : found;
}

Result<void> check_arguments(const Command& command, const json::object& arguments) {
  const auto problem = [&](std::string_view argument, const std::string& why) {
    return Error{"argument " + quoted(shortened(argument, 80)) + " of " + std::string(command.name) + ": " + why};
  };
  for (const auto& given : arguments) {
    const std::string_view name(given.key().data(), given.key().size());
    const auto known =
        std::find_if(command.arguments.begin(), command.arguments.end(), [name](const Argument& argument) { return argument.name == name; });
    if (known == command.arguments.end()) return problem(name, "there is none of this name");
    if (!is_of(known->kind, given.value())) return problem(name, "expected a " + std::string(name_of(known->kind)));
    if (known->kind != ArgumentKind::integer) continue;
    if (const std::int64_t number = given.value().get_int64(); number < known->least || number > known->most) {
      return problem(name, std::to_string(number) + " is not from " + std::to_string(known->least) + " to " + std::to_string(known->most));
    }
  }
  for (const Argument& argument : command.arguments) {
    const json::string_view name(argument.name.data(), argument.name.size());
    if (argument.required && !arguments.contains(name)) return problem(argument.name, "it is missing");
  }
  return {};
}

}  // namespace serval::control
