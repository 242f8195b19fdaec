#pragma once

namespace serval::cli {

/// Reads the configuration for a master (config/reading.hpp): the descriptor holds its sources, standard output takes
/// the answer.
int read_config(int sources_fd);

}  // namespace serval::cli
