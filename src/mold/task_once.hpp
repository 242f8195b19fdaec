#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "os/unique_fd.hpp"

namespace serval::mold {

/// What the process of `serval once FD` reads; stays open there under the same number.
Result<UniqueFd> heritage_of_once(const config::Config& config);

/// Loads and preloads the app in this process and runs one of its tasks, beside any server: called by the hidden
/// command `serval once FD TASK ARGUMENT...`, whose environment and working folder are those of the app already. What
/// goes wrong before is said on standard error. Returns the exit code of the process.
int run_once(int heritage_fd, const std::string& task, std::vector<std::string> arguments);

}  // namespace serval::mold
