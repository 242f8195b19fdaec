#include <cstdio>

#include "base/exit_code.hpp"
#include "cli/bodies.hpp"

namespace serval::cli {

int version(const Invocation&) {
  std::puts("serval " SERVAL_VERSION);
  return exit_code::ok;
}

}  // namespace serval::cli
