#pragma once

#include <string>

#include <serval/serval.h>

#include "base/result.hpp"

namespace serval::app {

/// Maps the library at `path` for good (never dlclose'd), calls its serval_app_main with `host` and checks the table it
/// returns: what comes back may be called as serval.h says. The error is one line that names the file and what is wrong
/// with it.
Result<const serval_app*> load_module(const std::string& path, const serval_host& host);

/// What dlopen(3) is to be called with: without a slash it would search the system's library folders.
std::string loader_name(const std::string& path);

/// Null if a serval with `host`'s version may call `table`, else what is wrong. Reads beyond the first 16 bytes only if
/// the major agrees.
std::string why_not_callable(const serval_app& table, const serval_host& host);

}  // namespace serval::app
