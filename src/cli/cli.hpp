#pragma once

namespace serval::cli {

/// The whole command line: finds the command, reads its flags, runs it. Returns the exit code; throws StartupError as
/// commands do.
int run_cli(int argc, char** argv);

}  // namespace serval::cli
