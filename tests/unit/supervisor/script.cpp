#include "script.hpp"

#include <gmock/gmock.h>

namespace serval::supervisor {
namespace {

std::string_view name_of(log::Level level) {
  switch (level) {
    case log::Level::debug: return "debug";
    case log::Level::info: return "info";
    case log::Level::warning: return "warning";
    case log::Level::error: return "error";
    case log::Level::off: return "off";
  }
  return "?";
}

struct Words {
  std::string operator()(const StartMold& action) const { return "start mold " + std::to_string(action.generation); }
  std::string operator()(const StopMold& action) const { return "stop mold " + std::to_string(action.generation); }
  std::string operator()(const ReopenMold& action) const { return "reopen mold " + std::to_string(action.generation); }
  std::string operator()(const ForkWorker& action) const {
    return "fork worker " + std::to_string(action.slot) +
           (action.generation > 1 ? " of " + std::to_string(action.generation) : "") +
           (action.max_requests > 0 ? " for " + std::to_string(action.max_requests) : "") +
           (action.pause > 0 ? " in pause " + std::to_string(action.pause) : "");
  }
  std::string operator()(const DrainWorker& action) const {
    return (action.succeeded ? "drain worker " : "stop worker ") + std::to_string(action.slot);
  }
  std::string operator()(const ReopenWorker& action) const { return "reopen worker " + std::to_string(action.slot); }
  std::string operator()(const PauseWorker& action) const {
    return "pause worker " + std::to_string(action.slot) + " as " + std::to_string(action.pause);
  }
  std::string operator()(const ResumeWorker& action) const { return "resume worker " + std::to_string(action.slot); }
  std::string operator()(const Kill& action) const {
    return "kill " + std::to_string(action.pid) + " by " + std::to_string(action.signal);
  }
  std::string operator()(const LookAtWorkers& action) const {
    return action.memory ? "look at workers and their memory" : "look at workers";
  }
  std::string operator()(const ReloadEnded& action) const {
    return "reload " + (action.good ? "done" : "failed: " + action.why) + ", generation " +
           std::to_string(action.generation);
  }
  std::string operator()(const ReloadAgain& action) const { return "reload again for " + action.by; }
  std::string operator()(const LookAtGenerations& action) const {
    return "look at generations " + std::to_string(action.old) + " and " + std::to_string(action.fresh);
  }
  std::string operator()(const InspectApp& action) const {
    return "inspect app of " + std::to_string(action.generation);
  }
  std::string operator()(const CheckUpgrade&) const { return "check upgrade"; }
  std::string operator()(const UpgradeRefused& action) const { return "upgrade refused, " + action.why; }
  std::string operator()(const RetireListeners&) const { return "retire listeners"; }
  std::string operator()(const RefuseConnections&) const { return "refuse"; }
  std::string operator()(const LaunchProgram& action) const {
    return "launch " + action.name + "[" + std::to_string(action.number) + "] as " + std::to_string(action.id) +
           (action.generation == 0 ? "" : " from mold " + std::to_string(action.generation));
  }
  std::string operator()(const SignalProgram& action) const {
    return "signal " + std::to_string(action.pid) + " by " + std::to_string(action.signal) +
           (action.tree ? " with all" : "");
  }
  std::string operator()(const EndLeftovers& action) const {
    const auto at = std::chrono::duration_cast<Duration>(action.deadline.time_since_epoch());
    return "end what " + std::to_string(action.pid) + " left by " + std::to_string(at.count()) + "ms";
  }
  std::string operator()(const LookAtPrograms&) const { return "look at programs"; }
  std::string operator()(const Notify& action) const { return "notify " + action.state; }
  std::string operator()(const Finish& action) const { return "finish " + std::to_string(action.exit_code); }
  std::string operator()(const Log& action) const {
    std::string line = std::string(name_of(action.level)) + ": " + action.sentence;
    for (const log::Field& field : action.fields) line += " " + std::string(field.key) + "=" + field.text;
    return line;
  }
};

}  // namespace

std::string text_of(const Action& action) { return std::visit(Words{}, action); }

Script::Step Script::at(Clock::duration time, const Event& event) {
  Step step;
  for (const Action& action : supervisor_->on(event, TimePoint(time), wall_at_start_ + time)) {
    if (std::holds_alternative<InspectApp>(action)) {
      step.inspects = true;
    } else {
      (std::holds_alternative<Log>(action) ? step.lines : step.actions).push_back(text_of(action));
    }
  }
  return step;
}

void Script::booted_at(Clock::duration time) {
  at(time, Start{});
  at(time, MoldStarted{1, kMold});
  at(time, MoldLoaded{1});
  const std::size_t workers = snapshot().workers.size();
  for (int slot = 0; slot < static_cast<int>(workers); ++slot) {
    at(time, forked(slot));
    at(time, ready(slot));
  }
}

Clock::duration Script::next_wakeup() const { return supervisor_->next_wakeup().time_since_epoch(); }

std::string Script::states() const {
  std::string result;
  for (const Snapshot::Worker& worker : snapshot().workers) {
    if (!result.empty()) result += ' ';
    result += supervisor::name_of(worker.state);
  }
  return result;
}

const Script::Step& Script::Step::expect(std::initializer_list<std::string_view> expected) const {
  EXPECT_THAT(actions, testing::ElementsAreArray(std::vector<std::string>(expected.begin(), expected.end())));
  return *this;
}

const Script::Step& Script::Step::expect_line(std::initializer_list<std::string_view> parts) const {
  EXPECT_THAT(lines, testing::SizeIs(1));
  for (const std::string_view part : parts) EXPECT_THAT(lines, testing::Each(testing::HasSubstr(std::string(part))));
  return *this;
}

const Script::Step& Script::Step::expect_no_line() const {
  EXPECT_THAT(lines, testing::IsEmpty());
  return *this;
}

}  // namespace serval::supervisor
