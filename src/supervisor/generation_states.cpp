#include "supervisor/generation_states.hpp"

#include <algorithm>
#include <map>

namespace serval::supervisor {
namespace {

GenerationState state_of(const World& world, int generation) {
  if (generation == world.current) return GenerationState::serving;
  if (world.rollout && world.rollout->to == generation)
    return world.rollout->trial ? GenerationState::watched : GenerationState::loading;
  return world.kept && world.kept->generation == generation ? GenerationState::kept : GenerationState::retiring;
}

}  // namespace

std::string_view name_of(GenerationState state) {
  switch (state) {
    case GenerationState::loading: return "loading";
    case GenerationState::watched: return "watched";
    case GenerationState::serving: return "serving";
    case GenerationState::retiring: return "retiring";
    case GenerationState::kept: return "kept";
  }
  return "?";
}

std::vector<GenerationLife> living_generations(const World& world) {
  std::map<int, TimePoint> since;
  for (const Slot& slot : world.slots) {
    if (!slot.occupied()) continue;
    const auto [known, is_new] = since.try_emplace(slot.generation(), slot.started());
    if (!is_new) known->second = std::min(known->second, slot.started());
  }
  for (const auto& [generation, mold] : world.molds) since[generation] = mold.begun;
  std::vector<GenerationLife> living;
  for (const auto& [generation, begun] : since) living.push_back({generation, state_of(world, generation), begun});
  return living;
}

}  // namespace serval::supervisor
