#include "cli/status.hpp"

#include <boost/json/serialize.hpp>
#include <iostream>

#include "cli/ask_server.hpp"
#include "control/status_table.hpp"

namespace serval::cli {

int status(const Invocation& invocation) {
  const Asked asked = ask_server(invocation, {.command = "status", .arguments = {}});
  if (asked.code != exit_code::ok) return asked.code;
  if (invocation.json) {
    std::cout << boost::json::serialize(asked.result) << '\n';
  } else {
    std::cout << control::format_status(asked.result);
  }
  return exit_code::ok;
}

}  // namespace serval::cli
