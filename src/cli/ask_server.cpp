#include "cli/ask_server.hpp"

#include <glob.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <utility>
#include <vector>

#include "base/log_text.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "cli/usage.hpp"
#include "control/client.hpp"
#include "control/place.hpp"

namespace serval::cli {
namespace {

constexpr const char* kNameAnother = "name the server with -c FILE or --socket PATH; its log says where its control socket is";

/// Which server is meant, or why that cannot be told.
struct Found {
  control::Place place;
  Asked failure;          ///< if its code is not ok
  bool problems = false;  ///< the configuration is not right: its server may be elsewhere
};

std::string line_of(std::string_view command, std::string_view what) {
  std::string line = "serval " + std::string(command) + ": ";
  line += what;
  return line + '\n';
}

Asked no_server(std::string_view command, std::string_view what, std::string_view hint) {
  std::string message = line_of(command, what) + "  hint: ";
  message += hint;
  return {.code = exit_code::unavailable, .result = {}, .why = std::string(what), .message = message + '\n'};
}

/// There are problems: it does not even say what its server is called.
Asked bad_config(const config::Loaded& loaded) {
  const std::string problems = config::format_problems(loaded.problems, "error");
  return {.code = exit_code::config,
          .result = {},
          .why = problems.substr(0, problems.find('\n')),
          .message = config::format_problems(loaded.notes, "warning") + problems};
}

/// The sockets that servers of any name have where they are by default.
std::vector<std::string> default_sockets(const config::Environment& environment) {
  const std::string pattern = control::find_place({}, "*", environment, ::geteuid()).path;
  std::vector<std::string> found;
  glob_t matches{};
  if (::glob(pattern.c_str(), 0, nullptr, &matches) == 0) found.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
  ::globfree(&matches);
  return found;
}

/// Nobody has said anything about which server.
Found find_only_server(std::string_view command, const config::Environment& environment) {
  auto place = control::find_place({}, "*", environment, ::geteuid());
  const auto sockets = default_sockets(environment);
  if (sockets.size() == 1) {
    place.path = sockets.front();
    return {.place = place, .failure = {}};
  }
  if (sockets.empty()) {
    return {.place = {}, .failure = no_server(command, "there is no serval.toml here, and no server's socket at " + place.path, kNameAnother)};
  }
  return {.place = {}, .failure = no_server(command, "several servers have sockets: " + join(sockets, ", "), "choose one with --socket PATH")};
}

Found find_server(std::string_view command, const Invocation& invocation) {
  if (!invocation.socket.empty()) return {.place = {.path = invocation.socket, .automatic = false, .folder = {}}, .failure = {}};
  const auto loaded = config::load(invocation.sources);
  const auto& config = loaded.config;
  if (config.control.socket.empty() && config.server.name.empty()) {
    if (invocation.sources.file) return {.place = {}, .failure = bad_config(loaded)};
    return find_only_server(command, invocation.sources.environment);
  }
  auto place = control::find_place(config.control, config.server.name, invocation.sources.environment, ::geteuid());
  if (place.path.empty()) {
    return {.place = {}, .failure = no_server(command, "the server of this configuration has no socket: control.socket is \"off\"", kNameAnother)};
  }
  // What else may be wrong, such as a variable that only the server has, is no reason not to ask it.
  return {.place = std::move(place), .failure = {}, .problems = !loaded.problems.empty()};
}

void show_progress(std::string_view command, std::string_view text) {
  if (::isatty(STDERR_FILENO) == 0) return;
  std::string line;
  log::append_text(line, text, false);
  std::cerr << "serval " << command << ": " << line << '\n';
}

}  // namespace

Asked try_server(const Invocation& invocation, const control::Request& request, Duration patience) {
  const std::string& command = request.command;
  const Found found = find_server(command, invocation);
  if (found.failure.code != exit_code::ok) return found.failure;
  const auto reply = control::call({.where = found.place,
                                    .request = request,
                                    .patience = patience,
                                    .on_progress = [&command](std::string_view text) { show_progress(command, text); }});
  if (!reply) {
    const std::string hint = found.problems ? "the configuration has problems, which serval check lists; or " : "";
    return no_server(command, reply.error(), hint + kNameAnother);
  }
  if (reply->ok) return {.code = exit_code::ok, .result = reply->result, .why = {}, .message = {}};
  std::string error;
  log::append_text(error, reply->error, false);
  return {.code = reply->exit_code, .result = {}, .why = error, .message = line_of(command, error)};
}

Asked ask_server(const Invocation& invocation, const control::Request& request, Duration patience) {
  Asked asked = try_server(invocation, request, patience);
  std::cerr << asked.message;
  return asked;
}

}  // namespace serval::cli
