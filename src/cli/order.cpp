#include "cli/bodies.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/ask_server.hpp"
#include "cli/usage.hpp"
#include "control/changes_text.hpp"
#include "control/shown.hpp"

namespace serval::cli {
namespace {

namespace json = boost::json;

/// Preloading may take minutes, and so may a rollout of many workers.
constexpr Duration kPatience = std::chrono::minutes(15);
constexpr Duration kLongestPatience = std::chrono::hours(24);

/// Prints the reply's only number in a sentence.
int report(const Asked& asked, std::string_view before, const char* key, std::string_view after) {
  if (asked.code != exit_code::ok) return asked.code;
  std::cout << before;
  if (const auto* number = asked.result.if_contains(key)) std::cout << *number;
  std::cout << after << '\n';
  return exit_code::ok;
}

/// Of a stop that has answered nobody any more. A second one without --now has not been told to: it says why.
std::string what_was_cut(std::int64_t requests, bool now) {
  const std::string what = requests == 0 ? "no request was in progress" : std::to_string(requests) + (requests == 1 ? " request" : " requests") + " cut";
  return (now ? "stopped at once, " : "it was stopping already; asked for the second time, it stopped at once, ") + what;
}

/// None: --timeout is no duration, and standard error has said so.
std::optional<Duration> patience_of(std::string_view command, const Invocation& invocation) {
  if (invocation.timeout.empty()) return kPatience;
  const auto given = parse_duration(invocation.timeout);
  if (given && *given > Duration::zero() && *given <= kLongestPatience) return *given;
  usage_error(command, "--timeout " + quoted(invocation.timeout) + " is not a duration from 1ms to " + format_duration(kLongestPatience),
              "for example --timeout 90s");
  return std::nullopt;
}

std::optional<std::int64_t> number_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Until the process is gone, or the patience is over: false. There is no zombie to be seen, its parent is somebody else.
bool await_end(pid_t pid, Duration patience) {
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));  // pidfd_open(2); glibc 2.36 has no wrapper yet
  if (process < 0) return true;
  pollfd ended = {process, POLLIN, 0};
  const bool gone = ::poll(&ended, 1, static_cast<int>(patience.count())) > 0;
  ::close(process);
  return gone;
}

}  // namespace

int reload(const Invocation& invocation) {
  const auto patience = patience_of("reload", invocation);
  if (!patience) return exit_code::usage;
  const Asked asked = ask_server(invocation, {.command = "reload", .arguments = {}}, *patience);
  const int code = report(asked, "generation ", "generation", " serves");
  if (code == exit_code::ok) std::cout << control::format_changes(asked.result);
  return code;
}

int stop(const Invocation& invocation) {
  const Asked asked = ask_server(invocation, {.command = "stop", .arguments = {{"now", invocation.now}}});
  if (asked.code != exit_code::ok) return asked.code;
  const auto* pid = asked.result.if_contains("pid");
  // What it says is a pid, or there is nothing to wait for.
  const bool is_pid = pid != nullptr && pid->is_int64() && pid->get_int64() > 0 && pid->get_int64() <= INT32_MAX;
  if (!is_pid || await_end(static_cast<pid_t>(pid->as_int64()), kPatience)) {
    if (const auto cut = control::number_at(asked.result, "cut")) std::cout << what_was_cut(*cut, invocation.now) << '\n';
    return exit_code::ok;
  }
  std::cerr << "serval stop: the server is still stopping\n";
  return exit_code::app_failed;
}

int scale(const Invocation& invocation) {
  const std::string& word = invocation.words.front();
  const auto number = number_of(word);
  if (!number) return usage_error("scale", quoted(word) + " is no number of workers", "for example serval scale 8, or +1, or -1");
  const bool relative = word[0] == '+' || word[0] == '-';
  return report(ask_server(invocation, {.command = "scale", .arguments = {{relative ? "by" : "to", *number}}}, kPatience), "", "workers", " workers serve");
}

int recycle(const Invocation& invocation) {
  const std::string& word = invocation.words.front();
  const auto slot = number_of(word);
  if (!slot && word != "all") return usage_error("recycle", quoted(word) + " is no slot", "serval recycle 0, or serval recycle all");
  return report(ask_server(invocation, {.command = "recycle", .arguments = slot ? json::object{{"slot", *slot}} : json::object{}}, kPatience), "", "workers",
                " replaced");
}

int upgrade(const Invocation& invocation) {
  const Asked asked = ask_server(invocation, {.command = "upgrade", .arguments = {}}, kPatience);
  if (asked.code != exit_code::ok) return asked.code;
  const auto* pid = asked.result.if_contains("pid");
  const auto* version = asked.result.if_contains("version");
  if (pid == nullptr || version == nullptr || !version->is_string()) return exit_code::ok;
  std::cout << "pid " << *pid << " is serval " << control::text_at(asked.result, "version") << " now";
  if (const std::string program = control::text_at(asked.result, "program"); program != control::kUnknown) std::cout << ", run from " << program;
  std::cout << '\n';
  return exit_code::ok;
}

int reopen(const Invocation& invocation) { return ask_server(invocation, {.command = "reopen", .arguments = {}}).code; }

int drain(const Invocation& invocation) { return ask_server(invocation, {.command = "drain", .arguments = {}}).code; }

int undrain(const Invocation& invocation) { return ask_server(invocation, {.command = "undrain", .arguments = {}}).code; }

int pause(const Invocation& invocation) {
  const auto patience = patience_of("pause", invocation);
  if (!patience) return exit_code::usage;
  const Asked asked = ask_server(invocation, {.command = "pause", .arguments = {}}, *patience);
  if (asked.code == exit_code::ok) std::cout << "paused, no request is in progress\n";
  if (asked.code == exit_code::unavailable) std::cerr << "  if the server has begun to pause, it goes on to; serval resume ends it\n";
  return asked.code;
}

int resume(const Invocation& invocation) { return ask_server(invocation, {.command = "resume", .arguments = {}}).code; }

}  // namespace serval::cli
