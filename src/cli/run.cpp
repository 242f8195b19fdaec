#include "base/exit_code.hpp"
#include "cli/bodies.hpp"
#include "cli/usage.hpp"
#include "master/start.hpp"

namespace serval::cli {

/// The master, in the foreground, until it is told to stop; a reload reads the same sources again.
int run(const Invocation& invocation) {
  const auto loaded = config::load(invocation.sources);
  if (const int code = report_problems(loaded); code != exit_code::ok) return code;
  return master::start(loaded, invocation.sources, invocation.watch);
}

}  // namespace serval::cli
