#include "cli/bodies.hpp"

#include <iostream>

#include "base/exit_code.hpp"
#include "cli/usage.hpp"
#include "config/document.hpp"

namespace serval::cli {

int show_config(const Invocation& invocation) {
  const auto loaded = config::load(invocation.sources);
  if (const int code = report_problems(loaded); code != exit_code::ok) return code;
  std::cout << config::effective_file(loaded, invocation.origin, invocation.show_secrets);
  return exit_code::ok;
}

}  // namespace serval::cli
