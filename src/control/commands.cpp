#include "control/commands.hpp"

#include <algorithm>
#include <boost/json/value.hpp>

#include "base/text.hpp"

namespace serval::control {
namespace {

/// No sum of these overflows; how many workers and slots there may be, the master knows.
constexpr std::int64_t kMax = INT32_MAX;

constexpr Argument kStatusArguments[] = {{.name = "memory", .kind = ArgumentKind::boolean}};
constexpr Argument kProgramArgument{.name = "program", .kind = ArgumentKind::text, .spelling = Spelling::program};
constexpr Argument kReloadArguments[] = {kProgramArgument};
constexpr Argument kStartArguments[] = {
    {.name = "program", .kind = ArgumentKind::text, .spelling = Spelling::program, .required = true}};
constexpr Argument kStopArguments[] = {{.name = "now", .kind = ArgumentKind::boolean, .spelling = Spelling::flag},
                                       kProgramArgument};
constexpr Argument kScaleArguments[] = {
    {.name = "to", .kind = ArgumentKind::integer, .spelling = Spelling::word, .min = -kMax, .max = kMax},
    {.name = "by", .kind = ArgumentKind::integer, .spelling = Spelling::change, .min = -kMax, .max = kMax},
    {.name = "program", .kind = ArgumentKind::text, .spelling = Spelling::program_is},
};
constexpr Argument kRecycleArguments[] = {
    {.name = "slot", .kind = ArgumentKind::integer, .spelling = Spelling::word_or_all, .min = 0, .max = kMax},
    kProgramArgument,
};
constexpr Argument kStacksArguments[] = {
    {.name = "slot", .kind = ArgumentKind::integer, .spelling = Spelling::word, .min = 0, .max = kMax},
};

constexpr Argument kProfileArguments[] = {
    {.name = "slot", .kind = ArgumentKind::integer, .spelling = Spelling::word, .min = 0, .max = kMax},
    {.name = "seconds",
     .kind = ArgumentKind::integer,
     .spelling = Spelling::value,
     .min = 1,
     .max = 3600,
     .example = 30},
    {.name = "hz", .kind = ArgumentKind::integer, .spelling = Spelling::value, .min = 1, .max = 1000, .example = 100},
    {.name = "cpu", .kind = ArgumentKind::boolean, .spelling = Spelling::flag},
};

/// Preloading may take minutes, and so may a rollout of many workers.
constexpr Duration kRolloutPatience = std::chrono::minutes(15);
/// Debug information of a large app takes a while to read, and that of several generations is read one after the other.
constexpr Duration kNamingPatience = std::chrono::minutes(2);

constexpr Command kCommands[] = {
    {.order = Order::status,
     .name = "status",
     .arguments = kStatusArguments,
     .only_looks = true,
     .while_stopping = true},
    {.order = Order::reload,
     .name = "reload",
     .arguments = kReloadArguments,
     .while_stopping = true,  // the supervisor says why not
     .patience = kRolloutPatience,
     .done = "generation {generation} serves",
     .unanswered =
         "a reload that has begun goes on: serval status shows how far it is, and serval rollback calls it off"},
    {.order = Order::rollback,
     .name = "rollback",
     .while_stopping = true,  // likewise
     .patience = kRolloutPatience,
     .done = "generation {generation} serves",
     .unanswered = "a rollback that has begun goes on: serval status shows how far it is"},
    {.order = Order::start,
     .name = "start",
     .arguments = kStartArguments,
     .patience = kRolloutPatience,
     .unanswered = "what has begun goes on: serval status shows how far it is"},
    {.order = Order::stop, .name = "stop", .arguments = kStopArguments, .while_stopping = true},
    {.order = Order::scale,
     .name = "scale",
     .arguments = kScaleArguments,
     .patience = kRolloutPatience,
     .done = "{workers} workers serve"},
    {.order = Order::recycle,
     .name = "recycle",
     .arguments = kRecycleArguments,
     .patience = kRolloutPatience,
     .done = "{workers} replaced"},
    {.order = Order::reopen, .name = "reopen", .while_stopping = true},
    {.order = Order::drain, .name = "drain"},
    {.order = Order::undrain, .name = "undrain"},
    {.order = Order::pause,
     .name = "pause",
     .patience = kRolloutPatience,
     .begun = "waiting until no request is in progress",
     .done = "paused, no request is in progress",
     .unanswered = "if the server has begun to pause, it goes on to; serval resume ends it"},
    {.order = Order::resume, .name = "resume"},
    {.order = Order::upgrade,
     .name = "upgrade",
     .while_stopping = true,  // likewise
     .patience = kRolloutPatience,
     .begun = "checking the new program"},
    {.order = Order::stacks,
     .name = "stacks",
     .arguments = kStacksArguments,
     .while_stopping = true,  // a server that does not come to the end of its stop is the one to look at
     .patience = kNamingPatience},
    {.order = Order::profile, .name = "profile", .arguments = kProfileArguments},
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
  const auto found = std::find_if(std::begin(kCommands), std::end(kCommands),
                                  [name](const Command& command) { return command.name == name; });
  return found == std::end(kCommands) ? nullptr : found;
}

const Command& command_for(Order order) { return kCommands[static_cast<std::size_t>(order)]; }

Result<void> check_arguments(const Command& command, const json::object& arguments) {
  const auto problem = [&](std::string_view argument, const std::string& why) {
    return Error{"argument " + quoted(shortened(argument, 80)) + " of " + std::string(command.name) + ": " + why};
  };
  for (const auto& given : arguments) {
    const std::string_view name(given.key().data(), given.key().size());
    const auto known = std::find_if(command.arguments.begin(), command.arguments.end(),
                                    [name](const Argument& argument) { return argument.name == name; });
    if (known == command.arguments.end()) return problem(name, "there is none of this name");
    if (!is_of(known->kind, given.value())) return problem(name, "expected a " + std::string(name_of(known->kind)));
    if (known->kind != ArgumentKind::integer) continue;
    if (const std::int64_t number = given.value().get_int64(); number < known->min || number > known->max) {
      return problem(name, std::to_string(number) + " is not from " + std::to_string(known->min) + " to " +
                               std::to_string(known->max));
    }
  }
  for (const Argument& argument : command.arguments) {
    const json::string_view name(argument.name.data(), argument.name.size());
    if (argument.required && !arguments.contains(name)) return problem(argument.name, "it is missing");
  }
  return {};
}

}  // namespace serval::control
