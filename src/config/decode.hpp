#pragma once

#include <vector>

#include "config/problem.hpp"
#include "config/raw.hpp"

namespace serval::config {

/// Sets the option's value. What is wrong is added to `problems`, at the offending element; the option keeps its value
/// then. True if it was set.
bool decode(const Option& option, const Raw& raw, Config& config, std::vector<Problem>& problems);

}  // namespace serval::config
