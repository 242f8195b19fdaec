#include "supervisor/program_rules.hpp"

#include <algorithm>

namespace serval::supervisor {
namespace {

constexpr std::string_view kApp = "app";

/// The record of each number that is wanted, once it has nothing before it any more.
bool all_wanted(const ProgramGroupRecord& group, bool (*is)(const ProgramInstanceRecord&)) {
  for (int number = 0; number < group.wanted; ++number) {
    const bool any = std::any_of(group.instances.begin(), group.instances.end(), [&](const auto& instance) {
      return instance.number == number && !instance.leaving && is(instance);
    });
    if (!any) return false;
  }
  return true;
}

bool ended_well(const ProgramInstanceRecord& instance) {
  return instance.state == ProgramState::ended && instance.good;
}

/// Each goes on, or waits until it is tried again.
bool are_calm_runs(const ProgramGroupRecord& group) {
  return !group.removed && std::all_of(group.instances.begin(), group.instances.end(), [](const auto& instance) {
    if (instance.leaving) return false;
    return instance.state == ProgramState::ready || (instance.state == ProgramState::waiting && instance.failures > 0);
  });
}

}  // namespace

std::string_view name_of(RunResult result) {
  switch (result) {
    case RunResult::success: return "success";
    case RunResult::failure: return "failure";
    case RunResult::timeout: return "timeout";
    case RunResult::stopped: return "stopped";
    case RunResult::skipped: return "skipped";
    case RunResult::missed: return "missed";
  }
  return "?";
}

std::string_view name_of(ProgramState state) {
  switch (state) {
    case ProgramState::waiting: return "waiting";
    case ProgramState::starting: return "starting";
    case ProgramState::ready: return "ready";
    case ProgramState::stopping: return "stopping";
    case ProgramState::clearing: return "clearing";
    case ProgramState::ended: return "ended";
  }
  return "?";
}

AfterEnd after_end(const config::Program& program, const Exit& exit) {
  const auto& codes = program.stop_codes;
  const bool stops = !exit.signaled && std::find(codes.begin(), codes.end(), exit.code) != codes.end();
  if (stops) return AfterEnd::succeeded;
  const bool succeeded = !exit.signaled && exit.code == 0;
  switch (program.restart) {
    case config::ProgramRestart::always: return AfterEnd::restart;
    case config::ProgramRestart::on_failure: return succeeded ? AfterEnd::succeeded : AfterEnd::restart;
    case config::ProgramRestart::never: return succeeded ? AfterEnd::succeeded : AfterEnd::failed;
  }
  return AfterEnd::restart;
}

bool gives_up(const config::Program& program, int failures) {
  return program.give_up_after > 0 && failures >= program.give_up_after;
}

bool same_when_launched(const config::Program& one, const config::Program& other) {
  return one.command == other.command && one.run == other.run && one.environment() == other.environment() &&
         one.working_directory == other.working_directory && one.user == other.user && one.group == other.group &&
         one.umask == other.umask && one.nice == other.nice && one.limits == other.limits &&
         one.listen == other.listen && one.ready == other.ready && one.log == other.log;
}

bool is_up(const ProgramGroupRecord& group) {
  if (group.scheduled) return group.on && !group.removed;
  return group.on && !group.removed && all_wanted(group, [](const ProgramInstanceRecord& instance) {
           return instance.state == ProgramState::ready || ended_well(instance);
         });
}

bool is_settled(const ProgramGroupRecord& group) {
  if (group.scheduled) return are_calm_runs(group);
  const bool rest = std::all_of(group.instances.begin(), group.instances.end(), [](const auto& instance) {
    return (instance.state == ProgramState::ready && instance.cause == Cause::none) ||
           instance.state == ProgramState::ended;
  });
  const auto any = [](const ProgramInstanceRecord&) { return true; };
  return rest && !group.removed && (!group.on || all_wanted(group, any));
}

std::vector<std::string> waits_for(const config::Program& program, bool app_is_up,
                                   const std::function<bool(const std::string&)>& is_program_up) {
  std::vector<std::string> missing;
  for (const std::string& name : program.after) {
    const bool is_there = name == kApp ? app_is_up : is_program_up(name);
    if (!is_there) missing.push_back(name);
  }
  return missing;
}

std::string how_it_ended(const Exit& exit) {
  if (exit.oom) return exit.text + ", by the kernel because memory ran out";
  return exit.core ? exit.text + " (core dumped)" : exit.text;
}

}  // namespace serval::supervisor
