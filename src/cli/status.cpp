#include "cli/bodies.hpp"

#include <boost/json/serialize.hpp>
#include <charconv>
#include <iostream>
#include <utility>

#include "base/text.hpp"
#include "cli/ask_server.hpp"
#include "cli/usage.hpp"
#include "control/stacks_text.hpp"
#include "control/status_table.hpp"

namespace serval::cli {
namespace {

/// Debug information of a large app takes a while to read, and that of several generations is read one after the other.
constexpr Duration kNamingPatience = std::chrono::minutes(2);

}  // namespace

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

int stacks(const Invocation& invocation) {
  boost::json::object arguments;
  if (!invocation.words.empty()) {
    const std::string& word = invocation.words.front();
    int slot = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), slot);
    if (error != std::errc{} || end != word.data() + word.size() || slot < 0) {
      return usage_error("stacks", quoted(word) + " is no slot", "serval stacks 0, or serval stacks for all workers");
    }
    arguments["slot"] = slot;
  }
  const Asked asked = ask_server(invocation, {.command = "stacks", .arguments = std::move(arguments)}, kNamingPatience);
  if (asked.code != exit_code::ok) return asked.code;
  if (invocation.json) {
    std::cout << boost::json::serialize(asked.result) << '\n';
  } else {
    std::cout << control::format_stacks(asked.result);
  }
  return exit_code::ok;
}

}  // namespace serval::cli
