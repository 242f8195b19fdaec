#pragma once

#include <optional>

#include "control/server.hpp"
#include "master/children.hpp"
#include "master/worker_stacks.hpp"

namespace serval::master {

/// How WorkerStacks reaches workers. Borrows the children.
WorkerStacks::Hooks ways_to_workers(const Children& children);

/// Answers `serval stacks`, for all workers or for those in `slot`: the one that leaves, and its successor.
void answer_stacks(WorkerStacks& stacks, const Children& children, std::optional<int> slot,
                   const control::Responder& responder);

}  // namespace serval::master
