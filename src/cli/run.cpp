#include "cli/run.hpp"

#include "master/start.hpp"

namespace serval::cli {

int run_server(const config::Loaded& loaded) { return master::start(loaded.config); }

}  // namespace serval::cli
