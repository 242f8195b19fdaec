#include "cli/ask_server.hpp"

#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <utility>
#include <vector>

#include "base/log_text.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "cli/find_server.hpp"
#include "control/client.hpp"
#include "control/commands.hpp"
#include "control/private_folder.hpp"
#include "control/shown.hpp"
#include "os/socket_path.hpp"
#include "os/thread_stat.hpp"

namespace serval::cli {
namespace {

using OnProgress = std::function<void(std::string_view)>;

void show_progress(std::string_view command, std::string_view text) {
  if (::isatty(STDERR_FILENO) == 0) return;
  std::string line;
  log::append_text(line, text, false);
  std::cerr << "serval " << command << ": " << line << '\n';
}

std::string hint_for(const Found& found) {
  return (found.problems ? "the configuration has problems, which serval check lists; or " : "") +
         std::string(kNameAnother);
}

/// Other words for a server that is there than for one that is not: another name would not help.
Asked unanswered(std::string_view command, const std::string& path, const std::string& why, std::string_view hint) {
  const auto pid = os::listener_at(path);
  if (!pid || *pid <= 0) return no_server(command, why, hint);
  const std::string number = std::to_string(*pid);
  const auto stat = os::thread_stat(*pid, *pid);
  const char state = stat ? stat->state : '?';
  if (state == 'T') {
    return no_server(command, why + "; its process " + number + " is stopped",
                     "kill -CONT " + number + " lets it go on");
  }
  if (state == 't') return no_server(command, why + "; a debugger holds its process " + number, "let it go on there");
  const control::Command* order = control::find_command(command);
  return no_server(command, why + "; its process " + number + " lives",
                   order != nullptr && !order->unanswered.empty() ? order->unanswered : "its log may say why");
}

/// Each line by itself, without an end of line at the end: no other control byte gets to the terminal.
std::string shown_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (const std::string_view line : split(trim(text), '\n')) log::append_text(lines.emplace_back(), line, false);
  return join(lines, "\n");
}

/// There is no socket, and nothing to be said about its folder.
bool is_empty(const control::SocketLocation& place) {
  if (::access(place.path.c_str(), F_OK) == 0 || errno != ENOENT) return false;
  return place.folder.empty() || control::check_private_folder(place.folder, place.owner).has_value();
}

/// `command` is what was typed: what the request asks for may be less.
Asked ask_at(
    const control::SocketLocation& place, const Found& found, const std::string& command, control::Request request,
    Duration patience, const OnFile& on_file = [](auto) {}, const OnProgress& on_progress = [](auto) {}) {
  request.meant = found.meant;
  const auto call = [&] {
    return control::call(
        {.where = place, .request = request, .patience = patience, .on_file = on_file, .on_progress = on_progress});
  };
  auto reply = call();
  if (reply && request.meant && control::does_not_know_configs(*reply)) {
    request.meant.reset();  // an older server, which has to be upgraded by a command, too
    reply = call();
  }
  if (!reply) return unanswered(command, place.path, reply.error(), hint_for(found));
  if (reply->ok) return {.code = exit_code::ok, .result = reply->result, .why = {}, .message = {}};
  const std::string error = shown_lines(reply->error);
  return {.code = reply->exit_code,
          .result = {},
          .why = error.substr(0, error.find('\n')),
          .message = "serval " + command + ": " + error + '\n'};
}

/// What changes a server must not reach one just because it is the only one: says which it is, and how to name it.
Asked refuse_unnamed(const Found& found, const std::string& command) {
  constexpr auto kStatusPatience = std::chrono::seconds(3);
  const control::SocketLocation& place = found.places.front();
  const Asked asked =
      ask_at(place, found, command, {.command = "status", .arguments = {{"memory", false}}}, kStatusPatience);
  if (asked.code != exit_code::ok) return asked;
  const std::string name = control::text_at(asked.result, "name");
  return failed(exit_code::usage, command,
                "there is no serval.toml here and no flag that says which server is meant; the only one found is " +
                    name + ", pid " + control::number(asked.result, "pid") + ", at " + place.path,
                "if that one is meant: serval " + command + " --socket " + place.path);
}

bool only_looks(const std::string& command) {
  const control::Command* found = control::find_command(command);
  return found != nullptr && found->only_looks;
}

Asked ask(const Invocation& invocation, const control::Request& request, Duration patience, const OnFile& on_file,
          const OnProgress& on_progress) {
  const std::string command(invocation.command);
  const Found found = find_server(command, invocation);
  if (found.failure.code != exit_code::ok) return found.failure;
  if (found.unnamed && !only_looks(request.command)) return refuse_unnamed(found, command);
  Asked best;  // of what the places have said, the first that tells more than that there is nothing
  std::vector<control::SocketLocation> empty;
  for (const control::SocketLocation& place : found.places) {
    if (place.automatic && is_empty(place)) {
      empty.push_back(place);
      continue;
    }
    Asked asked = ask_at(place, found, command, request, patience, on_file, on_progress);
    if (asked.code == exit_code::ok && found.unnamed) {
      asked.message = "serval " + command + ": there is no serval.toml here; this is the only server found, at " +
                      place.path + '\n';
    }
    if (asked.code != exit_code::unavailable) return asked;
    if (best.code == exit_code::ok) best = std::move(asked);
  }
  if (best.code != exit_code::ok) return best;
  return no_server(command, "no server to talk to at " + paths_of(empty) + ": there is no socket", hint_for(found));
}

}  // namespace

Asked try_server(const Invocation& invocation, const control::Request& request, Duration patience) {
  return ask(
      invocation, request, patience, [](auto) {}, [](auto) {});
}

Asked ask_server(const Invocation& invocation, const control::Request& request, Duration patience,
                 const OnFile& on_file) {
  Asked asked = ask(invocation, request, patience, on_file,
                    [&](std::string_view text) { show_progress(invocation.command, text); });
  std::cerr << asked.message;
  return asked;
}

}  // namespace serval::cli
