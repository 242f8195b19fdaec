// A line on the control socket, in either direction: what is understood means the same after it was written again.
#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "control/commands.hpp"
#include "control/protocol.hpp"
#include "fuzz.hpp"

namespace serval::fuzz {
namespace {

using namespace control;

std::string_view line_of(const std::string& text) {
  SERVAL_CHECK(text.ends_with('\n') && text.find('\n') + 1 == text.size());
  return std::string_view(text).substr(0, text.size() - 1);
}

/// The same but for the last bits of a number with a fraction, which Boost.JSON's parser does not always get right.
bool alike(const json::value& a, const json::value& b) {
  if (a.is_double() && b.is_double()) {
    return std::abs(a.get_double() - b.get_double()) <= std::abs(a.get_double()) * 1e-14 + 1e-300;
  }
  if (a.is_array() && b.is_array()) return std::ranges::equal(a.get_array(), b.get_array(), alike);
  if (!a.is_object() || !b.is_object()) return a == b;
  return std::ranges::equal(a.get_object(), b.get_object(), [](const auto& x, const auto& y) {
    return x.key() == y.key() && alike(x.value(), y.value());
  });
}

void check_request(std::string_view line) {
  const auto request = parse_request(line);
  if (!request) {
    SERVAL_CHECK(request.error().find('\n') == std::string::npos);
    return;
  }
  const auto again = parse_request(line_of(format(*request)));
  SERVAL_CHECK(again.has_value() && again->command == request->command && again->meant == request->meant);
  SERVAL_CHECK(alike(again->arguments, request->arguments));
  const Command* command = find_command(request->command);
  if (command == nullptr) return;
  const auto checked = check_arguments(*command, request->arguments);
  if (!checked) {
    SERVAL_CHECK(checked.error().find('\n') == std::string::npos);
    return;
  }
  for (const auto& argument : request->arguments) {  // what a handler takes for granted
    const std::int64_t* number = argument.value().if_int64();
    SERVAL_CHECK(number == nullptr || (*number >= -INT32_MAX && *number <= INT32_MAX));
  }
}

void check_answer(std::string_view line) {
  const auto answer = parse_answer(line);
  if (!answer) return;
  if (const auto* progress = std::get_if<Progress>(&*answer)) {
    const auto again = parse_answer(line_of(format(*progress)));
    SERVAL_CHECK(again.has_value() && std::get<Progress>(*again).text == progress->text);
    return;
  }
  const Reply& reply = std::get<Reply>(*answer);
  SERVAL_CHECK(reply.ok == (reply.exit_code == 0) && reply.exit_code >= 0 && reply.exit_code <= 255);
  const auto again = parse_answer(line_of(format(reply)));
  SERVAL_CHECK(again.has_value());
  const Reply& same = std::get<Reply>(*again);
  SERVAL_CHECK(same.ok == reply.ok && alike(same.result, reply.result) && same.error == reply.error &&
               same.exit_code == reply.exit_code);
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  check_request(bytes);
  check_answer(bytes);
  // Any text can be said, whatever its bytes.
  const auto said = parse_request(line_of(format(Request{.command = std::string(bytes), .arguments = {}})));
  SERVAL_CHECK(said.has_value() && utf8(said->command) == utf8(bytes));
}

}  // namespace serval::fuzz
