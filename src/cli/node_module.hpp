#pragma once

#include <string>

#include "base/result.hpp"
#include "base/time.hpp"

namespace serval::cli {

/// What a file of JavaScript exports, as JSON: node evaluates it, as PM2 does. The file's own code runs, with our
/// rights and environment; what it prints goes to standard error. Regular expressions become texts, and functions are
/// left out. The error is a sentence: there is no node, it fails, or takes longer than `patience`.
Result<std::string> evaluate_module(const std::string& path, Duration patience);

}  // namespace serval::cli
