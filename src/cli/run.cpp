#include "cli/run.hpp"

#include "master/start.hpp"

namespace serval::cli {

int run_server(const config::Loaded& loaded, const config::Sources& sources) {
  return master::start(loaded, sources);
}

}  // namespace serval::cli
