#include "cli/bodies.hpp"

#include <iostream>
#include <string>

#include "base/exit_code.hpp"
#include "base/log_text.hpp"
#include "cli/ask_server.hpp"

namespace serval::cli {
namespace {

namespace json = boost::json;

constexpr auto kHealthcheckPatience = std::chrono::seconds(3);

int unwell(std::string_view why) {
  std::string line;
  log::append_text(line, why, false);
  std::cerr << "serval healthcheck: " << line << '\n';
  return exit_code::app_failed;
}

bool is_true(const json::object& status, std::string_view key) {
  const json::value* value = status.if_contains(json::string_view(key.data(), key.size()));
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string text_at(const json::object& status, std::string_view key) {
  const json::value* value = status.if_contains(json::string_view(key.data(), key.size()));
  return value != nullptr && value->is_string() ? std::string(value->get_string().data(), value->get_string().size())
                                                : "the server does not say why";
}

}  // namespace

int healthcheck(const Invocation& invocation) {
  const Asked asked =
      try_server(invocation, {.command = "status", .arguments = {{"memory", false}}}, kHealthcheckPatience);
  if (asked.code != exit_code::ok) return unwell(asked.why);
  if (invocation.ready) {
    if (!is_true(asked.result, "ready")) return unwell("not ready: " + text_at(asked.result, "unready"));
    std::cout << "ready\n";
  } else {
    if (!is_true(asked.result, "live")) return unwell("not live: " + text_at(asked.result, "lifeless"));
    std::cout << "live, " << text_at(asked.result, "state") << '\n';
  }
  return exit_code::ok;
}

}  // namespace serval::cli
