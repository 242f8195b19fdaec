#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "config/program_values.hpp"
#include "config/programs.hpp"

/// Rules among the options of a program, and among programs and the app (config/programs.hpp: validate_programs).
namespace serval::config {
namespace {

constexpr std::string_view kApp = "app";

/// For rules that look at one program of those that were loaded.
struct Reviewed {
  Loaded& loaded;
  const std::string& name;
  const Program& program;

  const ValueSource& at(std::string_view key) const {
    const auto found = loaded.origins.find(program_path(name, key));
    const auto table = loaded.origins.find("programs." + name);
    static const ValueSource nowhere;
    if (found != loaded.origins.end() && found->second.kind != ValueSource::Kind::defaulted) return found->second;
    return table == loaded.origins.end() ? nowhere : table->second;
  }
  void refuse(std::string_view key, const std::string& what, std::string hint) const {
    loaded.problems.push_back({at(key), program_path(name, key) + what, std::move(hint)});
  }
};

bool is_said(const Reviewed& one, std::string_view key) {
  return one.loaded.origins.at(program_path(one.name, key)).kind != ValueSource::Kind::defaulted;
}

/// More would not travel with the message that has it forked.
constexpr std::size_t kMaxTaskSockets = 8;

/// What a task shares with the app, and cannot choose.
void check_task(const Reviewed& one) {
  const Program& program = one.program;
  const Server& server = one.loaded.config.server;
  const std::string run = " = " + quoted(program.run);
  if (!program.command.empty())
    one.refuse("run", run + ", but there is a command as well: which one is to be started?", "remove one of them");
  if (!one.loaded.config.has_app())
    one.refuse("run", run + ", but there is no app whose task it could be", "set app.library, or use command");
  const std::string why = ": a task runs as the app does, which has given up the rights of another ";
  if (!program.user.empty() && program.user != server.user)
    one.refuse("user", " = " + quoted(program.user) + why + "user", "remove it, or change server.user");
  if (!program.group.empty() && program.group != server.group)
    one.refuse("group", " = " + quoted(program.group) + why + "group", "remove it, or change server.group");
  if (program.listen.size() > kMaxTaskSockets) {
    one.refuse("listen", " has " + std::to_string(program.listen.size()) + " addresses",
               "a task can have " + std::to_string(kMaxTaskSockets));
  }
}

void require_command(const Reviewed& one) {
  if (one.program.is_task()) return check_task(one);
  if (!is_said(one, "command")) {
    return one.refuse("command", " is missing: there is nothing to start",
                      "for example command = [\"./mailer\"], or run = \"task:mailer\"");
  }
  if (one.program.command.empty() || one.program.command.front().empty())
    one.refuse("command", " names no program", "for example [\"./mailer\"]");
}

void check_limits(const Reviewed& one) {
  for (const auto& [resource, limit] : one.program.limits) {
    if (resource_number(resource)) continue;
    one.refuse("limits", "." + resource + ": there is no such resource",
               "as, core, cpu, data, fsize, memlock, nofile, nproc or stack");
  }
}

void check_memory(const Reviewed& one) {
  const Program& program = one.program;
  if (program.memory_soft == 0 || program.memory_hard == 0 || program.memory_soft <= program.memory_hard) return;
  one.refuse("memory_soft",
             " = " + quoted(format_size(program.memory_soft)) + " is more than " +
                 program_path(one.name, "memory_hard") + " = " + quoted(format_size(program.memory_hard)),
             "lower the first or raise the second");
}

/// A program that lives for longer than it may take to be ready is always killed first.
void check_alive(const Reviewed& one) {
  const auto rule = parse_ready(one.program.ready);
  if (!rule || rule->kind != ReadyRule::Kind::alive || rule->alive < one.program.ready_timeout) return;
  one.refuse("ready",
             " = " + quoted(one.program.ready) + " is not less than " + program_path(one.name, "ready_timeout") +
                 " = " + quoted(format_duration(one.program.ready_timeout)),
             "lower the first or raise the second");
}

void check_after(const Reviewed& one) {
  const Programs& programs = one.loaded.config.programs;
  for (const std::string& other : one.program.after) {
    if (other == one.name) {
      one.refuse("after", " names the program itself", "remove it");
    } else if (other == kApp && !one.loaded.config.has_app()) {
      one.refuse("after", " names \"app\", but there is none", "remove it, or set app.library");
    } else if (other != kApp && !programs.contains(other)) {
      std::vector<std::string_view> names = {kApp};
      for (const auto& [name, program] : programs) names.push_back(name);
      const auto near = nearest(other, names);
      one.refuse("after", " names " + quoted(shortened(other, 80)) + ": there is no such program",
                 near ? "did you mean " + quoted(*near) + "?" : "");
    } else if (other != kApp && programs.at(other).scheduled()) {
      one.refuse("after", " names " + quoted(other) + ", which a schedule runs: it is never up", "remove it");
    }
  }
}

/// What a program that is run to completion has no use for, or would be misled by.
struct OfThoseKeptRunning {
  std::string_view key;
  std::string_view why;
};
constexpr OfThoseKeptRunning kNotForRuns[] = {
    {"ready", "a run is never ready: it ends"},
    {"ready_timeout", "a run is never ready: max_lifetime limits how long it takes"},
    {"replace", "a run is brought to its end, and the next one is new"},
    {"memory_soft", "a run cannot be replaced: memory_hard ends it"},
};

void check_schedule(const Reviewed& one) {
  const Program& program = one.program;
  if (!program.scheduled()) {
    for (const std::string_view key : {"overlap", "missed"}) {
      if (is_said(one, key)) one.refuse(key, " is for a program with every or cron", "set one of them, or remove it");
    }
    return;
  }
  if (program.every > Duration::zero() && !program.cron.empty())
    one.refuse("every", " and " + program_path(one.name, "cron") + " are both set", "remove one of them");
  if (program.count != 1)
    one.refuse("count", " = " + std::to_string(program.count) + ": a program with a schedule has one instance",
               "remove it; overlap = \"allow\" lets runs overlap");
  if (program.restart == ProgramRestart::always)
    one.refuse("restart", " = \"always\": a program with a schedule is run to completion",
               "\"never\", or \"on-failure\" to try again before the next run");
  for (const auto& [key, why] : kNotForRuns) {
    if (is_said(one, key)) one.refuse(key, ": " + std::string(why), "remove it, or the schedule");
  }
}

bool waits_for(const Programs& programs, const std::string& from, const std::string& to, std::set<std::string>& seen) {
  const auto found = programs.find(from);
  if (found == programs.end() || !seen.insert(from).second) return false;
  return std::any_of(found->second.after.begin(), found->second.after.end(),
                     [&](const std::string& next) { return next == to || waits_for(programs, next, to, seen); });
}

/// Said once for each circle, at its first program.
void check_circles(Loaded& loaded) {
  std::set<std::string> said;
  for (const auto& [name, program] : loaded.config.programs) {
    const bool itself = std::find(program.after.begin(), program.after.end(), name) != program.after.end();
    std::set<std::string> seen;
    if (itself || said.contains(name) || !waits_for(loaded.config.programs, name, name, seen)) continue;
    said.insert(seen.begin(), seen.end());
    Reviewed{loaded, name, program}.refuse("after", " leads back to the program itself: none of the circle could start",
                                           "take one name out of after");
  }
}

/// Each address is opened once, for the app or for one program.
void check_listen(Loaded& loaded) {
  std::vector<std::pair<Address, std::string>> seen;
  for (const std::string& bind : loaded.config.server.bind) {
    if (auto address = Address::parse(bind); address && loaded.config.has_app())
      seen.emplace_back(*address, "server.bind");
  }
  for (const auto& [name, program] : loaded.config.programs) {
    for (const std::string& text : program.listen) {
      const auto address = Address::parse(text);
      if (!address) continue;
      const bool chosen = address->kind == Address::Kind::tcp && address->port == 0;  // by the kernel
      const auto first = std::find_if(seen.begin(), seen.end(), [&](const auto& other) {
        return other.first.same_place(*address) || other.first.overlap(*address) == Overlap::full;
      });
      if (first != seen.end() && !chosen) {
        Reviewed{loaded, name, program}.refuse(
            "listen", " has " + quoted(text) + ", which " + first->second + " has already", "remove one of them");
      }
      seen.emplace_back(*address, program_path(name, "listen"));
    }
  }
}

}  // namespace

void validate_programs(Loaded& loaded) {
  for (auto& [name, program] : loaded.config.programs) {
    const ValueSource& restart = loaded.origins.at(program_path(name, "restart"));
    if (program.scheduled() && restart.kind == ValueSource::Kind::defaulted) program.restart = ProgramRestart::never;
  }
  for (const auto& [name, program] : loaded.config.programs) {
    const Reviewed one{loaded, name, program};
    require_command(one);
    check_limits(one);
    check_memory(one);
    check_alive(one);
    check_after(one);
    check_schedule(one);
  }
  check_circles(loaded);
  check_listen(loaded);
}

}  // namespace serval::config
