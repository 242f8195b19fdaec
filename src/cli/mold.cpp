#include "cli/mold.hpp"

#include "mold/mold.hpp"

namespace serval::cli {

int run_mold(int heritage_fd) { return mold::run(heritage_fd); }

}  // namespace serval::cli
