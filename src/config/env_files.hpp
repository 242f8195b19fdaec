#pragma once

#include <filesystem>

#include "config/loaded.hpp"
#include "config/options.hpp"

/// Files with environment variables, which app.env_file and programs.NAME.env_file name.
namespace serval::config {

/// The option's path or paths from `folder` on, unless they are absolute or no paths.
void make_absolute(const Option& option, Config& config, const std::filesystem::path& folder);

/// Reads what the configuration names into App::file_env and Program::file_env. What is wrong is added to the problems,
/// with file and line and never with a value.
void read_env_files(Loaded& loaded);

// No options, and in no table: so that what was read goes where options go (to_text), from the process that reads the
// configuration to the master, and on.
const Option& app_file_env();
const Option& program_file_env();

}  // namespace serval::config
