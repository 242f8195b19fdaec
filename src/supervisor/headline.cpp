#include "supervisor/headline.hpp"

#include <algorithm>
#include <string_view>

#include "base/log_text.hpp"
#include "base/text.hpp"

namespace serval::supervisor {
namespace {

/// Limit for an app's own words: a status is one line.
constexpr std::size_t kLongestReason = 200;

/// The first line; further ones are hints.
std::string one_line(std::string_view text) {
  std::string line;
  log::append_text(line, text.substr(0, text.find('\n')), false);
  return line;
}

std::string count_of(long number, std::string_view noun) {
  return std::to_string(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::string step_of(const RolloutInHand& rollout) {
  const std::string generation = "generation " + std::to_string(rollout.to);
  switch (rollout.step) {
    case RolloutInHand::Step::loading: return "reloading: loading " + generation;
    case RolloutInHand::Step::canary: return "reloading: the first worker of " + generation + " boots";
    case RolloutInHand::Step::joining: return "reloading: further workers of " + generation + " boot";
    case RolloutInHand::Step::watching: return "reloading: " + generation + " is watched";
    case RolloutInHand::Step::rolling: return "reloading: workers of " + generation + " take over";
  }
  return "";
}

/// Of molds and workers that start or leave; max() stands for an end that does not take long.
TimePoint last_deadline(const World& world) {
  TimePoint last = TimePoint::min();
  const auto look = [&last](TimePoint deadline) {
    if (deadline != TimePoint::max()) last = std::max(last, deadline);
  };
  for (const auto& [generation, mold] : world.molds) look(mold.deadline);
  for (const Slot& slot : world.slots) {
    if (slot.occupied()) look(slot.deadline());
  }
  if (world.rollout && world.rollout->trial) look(world.rollout->trial->ends());
  return last;
}

}  // namespace

std::string headline(const World& world, const Programs::Count& programs, const Readiness& readiness,
                     const std::string& reload_failure, TimePoint now) {
  const auto count = [&world](auto which) { return static_cast<long>(world.slots.count(which)); };
  if (world.phase == Phase::stopping || world.phase == Phase::finished) {
    const long left = count([](const Slot& slot) { return slot.occupied(); });
    if (left == 0 && programs.running > 0) return "stopping: " + count_of(programs.running, "program") + " left";
    return left == 0 ? "stopping" : "stopping: " + count_of(left, "worker") + (left == 1 ? " drains" : " drain");
  }
  if (world.phase == Phase::booting && world.mold().state != MoldState::ready) return "loading the app";
  const long serving = count([](const Slot& slot) { return slot.serving(); });
  std::string of_programs = std::to_string(programs.ready) + " of " + std::to_string(programs.wanted) + " programs run";
  const std::string scheduled = count_of(programs.scheduled, "program") + " scheduled";
  if (programs.scheduled > 0) of_programs = programs.wanted == 0 ? scheduled : of_programs + ", " + scheduled;
  const std::string wanted = std::to_string(world.settings.workers);
  // Canaries come on top of those that are wanted.
  std::string text =
      std::to_string(serving) +
      (serving > world.settings.workers ? " workers serve, " + wanted + " wanted" : " of " + wanted + " workers serve");
  text += ", generation " + std::to_string(world.current);
  if (!world.settings.has_app) text = of_programs;
  if (world.settings.has_app && programs.wanted + programs.scheduled > 0) text += "; " + of_programs;
  if (world.rollout) text += "; " + step_of(*world.rollout);
  if (const std::string why = why_not_ready(readiness); world.complete && !why.empty()) text += "; not ready: " + why;
  const long crashing = count([&](const Slot& slot) {
    return slot.backoff.crashes_in_a_row() >= 2 &&
           !(slot.serving() && slot.healthy_for(now) >= world.settings.restart.backoff_reset);
  });
  if (crashing > 0)
    text += "; " + count_of(crashing, "worker") + (crashing == 1 ? " crashes" : " crash") + " over and over";
  if (!reload_failure.empty())
    text += "; the last reload failed: " + shortened(one_line(reload_failure), kLongestReason);
  return text;
}

TimePoint busy_until(const World& world) {
  if (world.phase == Phase::stopping) return last_deadline(world);
  if (world.leaving()) return world.leaves_at;
  if (world.rollout) return last_deadline(world);
  if (world.complete) return TimePoint::min();
  // Loading, then booting; a worker that fails and tries again does not make it longer.
  const Duration timeout = world.settings.limits.boot_timeout;
  const Mold& mold = world.mold();
  return std::min(mold.loaded_at == TimePoint::max() ? mold.deadline : mold.loaded_at + timeout,
                  world.begun + 2 * timeout);
}

}  // namespace serval::supervisor
