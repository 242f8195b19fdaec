#pragma once

#include <string>

#include "base/readiness.hpp"
#include "supervisor/programs.hpp"
#include "supervisor/world.hpp"

/// What a service manager is told of how things are.
namespace serval::supervisor {

/// One line for an operator: how many serve, and whatever is not as usual. `reload_failure`: of the last reload; empty:
/// it went well.
std::string headline(const World& world, const Programs::Count& programs, const Readiness& readiness, const std::string& reload_failure, TimePoint now);

/// When what is under way now must have ended, by its own deadlines; min() if nothing is.
TimePoint busy_until(const World& world);

}  // namespace serval::supervisor
