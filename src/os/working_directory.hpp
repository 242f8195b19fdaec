#pragma once

#include <string>

#include "base/result.hpp"

namespace serval::os {

/// Where this process is, as its user says it: $PWD if it names the same folder as getcwd(3), else that. A link on the
/// way to it stays one: after `cd current && serval run` the path leads to the release of today, tomorrow to the one of
/// tomorrow. An error if the folder is gone.
Result<std::string> working_directory();

}  // namespace serval::os
