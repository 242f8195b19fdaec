#pragma once

#include "supervisor/world.hpp"

/// What is decided about programs that are tasks of the app's library. Pure.
namespace serval::supervisor {

/// The generation that tasks are started from: while a rollout is under way the one before, whose tables are in force
/// until then, as those of other programs.
int generation_of_tasks(const World& world);

/// A task can be started from it now.
bool can_fork_tasks(const World& world, int generation);

}  // namespace serval::supervisor
