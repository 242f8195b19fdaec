#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>

#include "base/check.hpp"
#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/ask_server.hpp"
#include "cli/bodies.hpp"
#include "cli/request.hpp"
#include "cli/usage.hpp"
#include "control/changes_text.hpp"
#include "control/commands.hpp"
#include "control/shown.hpp"
#include "control/stacks_text.hpp"
#include "control/status_table.hpp"

namespace serval::cli {
namespace {

constexpr Duration kMaxPatience = std::chrono::hours(24);
/// How long a server may take to stop: whatever shutdown.grace says, it is told that it still does after this.
constexpr Duration kStopPatience = std::chrono::minutes(15);

const control::Command& order_of(const Invocation& invocation) {
  const control::Command* order = control::find_command(invocation.command);
  SERVAL_CHECK(order != nullptr);
  return *order;
}

/// None: --timeout is no duration, and standard error has said so.
std::optional<Duration> patience_of(const control::Command& order, const Invocation& invocation) {
  if (invocation.timeout.empty()) return order.patience;
  const auto given = parse_duration(invocation.timeout);
  if (given && *given > Duration::zero() && *given <= kMaxPatience) return *given;
  usage_error(
      order.name,
      "--timeout " + quoted(invocation.timeout) + " is not a duration from 1ms to " + format_duration(kMaxPatience),
      "for example --timeout 90s");
  return std::nullopt;
}

/// Sends the order and waits for its reply; standard error has been told what went wrong.
Asked give(const control::Command& order, const Invocation& invocation) {
  const auto patience = patience_of(order, invocation);
  if (!patience) return {.code = exit_code::usage, .result = {}, .why = {}, .message = {}};
  const auto request = make_request(*find_command(invocation.command), order, invocation);
  if (const auto* misuse = std::get_if<Misuse>(&request)) {
    return {.code = usage_error(order.name, misuse->what, misuse->hint), .result = {}, .why = {}, .message = {}};
  }
  return ask_server(invocation, std::get<control::Request>(request), *patience);
}

std::string line_of_upgrade(const boost::json::object& result) {
  const auto pid = control::number_at(result, "pid");
  if (!pid || result.if_contains("version") == nullptr) return {};
  const std::string program = control::text_at(result, "program");
  const std::string_view sentence = program == control::kUnknown
                                        ? "pid {pid} is serval {version} now\n"
                                        : "pid {pid} is serval {version} now, run from {program}\n";
  return control::fill_in(sentence, result);
}

std::string remark_of(const boost::json::object& result) {
  const auto remark = control::maybe_text_at(result, "remark");
  return remark && !remark->empty() ? *remark + '\n' : "";
}

/// What has become of a program; empty: the command was not about one.
std::string line_of_program(control::Order order, const boost::json::object& result) {
  using control::Order;
  if (!control::maybe_text_at(result, "program")) return {};
  const auto say = [&](std::string_view sentence) { return control::fill_in(sentence, result) + '\n'; };
  switch (order) {
    case Order::start: return say("{program} runs");
    case Order::stop: return say("{program} has stopped");
    case Order::scale: return say("{instances} instances of {program} run");
    case Order::reload:
    case Order::recycle: return say("{program} runs anew");
    default: return {};
  }
}

/// What standard output says of a result.
std::string shown(const control::Command& order, const boost::json::object& result) {
  if (const std::string line = line_of_program(order.order, result); !line.empty()) return line;
  const std::string done = order.done.empty() ? "" : control::fill_in(order.done, result) + '\n';
  using control::Order;
  switch (order.order) {
    case Order::status: return control::format_status(result);
    case Order::stacks: return control::format_stacks(result);
    case Order::reload:
    case Order::rollback: return done + remark_of(result) + control::format_changes(result);
    case Order::upgrade: return line_of_upgrade(result);
    case Order::start:
    case Order::stop:
    case Order::scale:
    case Order::recycle:
    case Order::profile:
    case Order::reopen:
    case Order::drain:
    case Order::undrain:
    case Order::pause:
    case Order::resume: return done;
  }
  return {};
}

/// What a stop has cut that did not wait for the requests in progress. A second one without --now was not told to cut
/// them: it says why.
std::string what_was_cut(std::int64_t requests, bool now) {
  const std::string what = requests == 0
                               ? "no request was in progress"
                               : std::to_string(requests) + (requests == 1 ? " request" : " requests") + " cut";
  return (now ? "stopped at once, " : "it was stopping already; asked for the second time, it stopped at once, ") +
         what;
}

/// Until the process is gone, or the patience is over: false. No zombie is waited for, since another process is its
/// parent.
bool await_end(pid_t pid, Duration patience) {
  // pidfd_open(2); glibc 2.36 has no wrapper yet
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) return true;
  pollfd ended = {process, POLLIN, 0};
  const bool gone = ::poll(&ended, 1, static_cast<int>(patience.count())) > 0;
  ::close(process);
  return gone;
}

}  // namespace

int order(const Invocation& invocation) {
  const control::Command& order = order_of(invocation);
  const Asked asked = give(order, invocation);
  if (asked.code != exit_code::ok) return asked.code;
  std::cout << (invocation.json ? boost::json::serialize(asked.result) + '\n' : shown(order, asked.result));
  return exit_code::ok;
}

int stop(const Invocation& invocation) {
  const Asked asked = give(order_of(invocation), invocation);
  if (asked.code != exit_code::ok) return asked.code;
  if (!invocation.words.empty()) {  // a program alone has stopped
    std::cout << shown(order_of(invocation), asked.result);
    return exit_code::ok;
  }
  const auto pid = control::number_at(asked.result, "pid");
  // What it says is a pid, or there is nothing to wait for.
  const bool is_pid = pid && *pid > 0 && *pid <= INT32_MAX;
  if (!is_pid || await_end(static_cast<pid_t>(*pid), kStopPatience)) {
    if (const auto cut = control::number_at(asked.result, "cut")) {
      std::cout << what_was_cut(*cut, invocation.now) << '\n';
    }
    return exit_code::ok;
  }
  std::cerr << "serval stop: the server is still stopping\n";
  return exit_code::app_failed;
}

}  // namespace serval::cli
