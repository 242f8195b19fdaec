#include "supervisor/program_tasks.hpp"

namespace serval::supervisor {

int generation_of_tasks(const World& world) { return world.rollout ? world.rollout->from : world.current; }

bool can_fork_tasks(const World& world, int generation) {
  const auto mold = world.molds.find(generation);
  return mold != world.molds.end() && mold->second.state == MoldState::ready && !mold->second.killed;
}

}  // namespace serval::supervisor
