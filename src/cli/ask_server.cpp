#include "cli/ask_server.hpp"

#include <glob.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <iostream>
#include <optional>
#include <utility>
#include <vector>

#include "base/log_text.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "cli/usage.hpp"
#include "config/reading.hpp"
#include "control/client.hpp"
#include "control/place.hpp"
#include "control/private_folder.hpp"
#include "os/listen.hpp"
#include "os/thread_stat.hpp"

namespace serval::cli {
namespace {

constexpr const char* kNameAnother = "name the server with -c FILE or --socket PATH; its log says where its control socket is";

/// Which server is meant, or why that cannot be told.
struct Found {
  std::vector<control::Place> places;  ///< where it may be
  std::optional<control::ConfigFile> meant{};
  Asked failure{};        ///< if its code is not ok
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

/// The sockets that servers of any name have where they may be.
std::vector<control::Place> default_sockets(const config::Environment& environment) {
  std::vector<control::Place> found;
  for (const control::Place& pattern : control::places_to_look({}, "*", {}, environment, ::geteuid())) {
    glob_t matches{};
    if (::glob(pattern.path.c_str(), 0, nullptr, &matches) == 0) {
      for (std::size_t i = 0; i < matches.gl_pathc; ++i) {
        control::Place place = pattern;
        place.path = matches.gl_pathv[i];
        found.push_back(std::move(place));
      }
    }
    ::globfree(&matches);
  }
  return found;
}

std::string paths_of(const std::vector<control::Place>& places) {
  std::vector<std::string> paths;
  for (const control::Place& place : places) paths.push_back(place.path);
  return join(paths, ", ");
}

/// Nobody has said anything about which server.
Found find_only_server(std::string_view command, const config::Environment& environment) {
  const auto sockets = default_sockets(environment);
  if (sockets.size() == 1) return {.places = sockets};
  if (sockets.empty()) {
    const std::string patterns = paths_of(control::places_to_look({}, "*", {}, environment, ::geteuid()));
    return {.places = {}, .failure = no_server(command, "there is no serval.toml here, and no server's socket at " + patterns, kNameAnother)};
  }
  return {.places = {}, .failure = no_server(command, "several servers have sockets: " + paths_of(sockets), "choose one with --socket PATH")};
}

/// Who names a socket, by whatever means but the file, means that one, whoever has it.
bool names_socket(const config::Loaded& loaded) {
  const auto kind = loaded.origins.find("control.socket")->second.kind;
  return kind == config::Origin::Kind::environment || kind == config::Origin::Kind::flag;
}

Found find_server(std::string_view command, const Invocation& invocation) {
  if (!invocation.socket.empty()) return {.places = {{.path = invocation.socket, .automatic = false, .folder = {}}}};
  const auto loaded = config::load(invocation.sources);
  const auto& config = loaded.config;
  if (config.control.socket.empty() && config.server.name.empty()) {
    if (invocation.sources.file) return {.places = {}, .failure = bad_config(loaded)};
    return find_only_server(command, invocation.sources.environment);
  }
  // /etc/serval/shop.toml is what serval@shop.service serves, whatever the app's name is.
  const std::string unit = loaded.file.empty() ? "" : std::filesystem::path(loaded.file).stem().string();
  Found found;
  found.places = control::places_to_look(config.control, config.server.name, unit, invocation.sources.environment, ::geteuid());
  if (found.places.empty()) {
    found.failure = no_server(command, "the server of this configuration has no socket: control.socket is \"off\"", kNameAnother);
  }
  if (!loaded.file.empty() && !names_socket(loaded)) found.meant = control::ConfigFile{loaded.file, config::real_path(loaded.file)};
  // What else may be wrong, such as a variable that only the server has, is no reason not to ask it.
  found.problems = !loaded.problems.empty();
  return found;
}

void show_progress(std::string_view command, std::string_view text) {
  if (::isatty(STDERR_FILENO) == 0) return;
  std::string line;
  log::append_text(line, text, false);
  std::cerr << "serval " << command << ": " << line << '\n';
}

}  // namespace

namespace {

std::string hint_for(const Found& found) {
  return (found.problems ? "the configuration has problems, which serval check lists; or " : "") + std::string(kNameAnother);
}

/// Other words for a server that is there than for one that is not: another name would not help.
Asked unanswered(std::string_view command, const std::string& path, const std::string& why, std::string_view hint) {
  const auto pid = os::listener_at(path);
  if (!pid || *pid <= 0) return no_server(command, why, hint);
  const std::string number = std::to_string(*pid);
  const auto stat = os::thread_stat(*pid, *pid);
  const char state = stat ? stat->state : '?';
  if (state == 'T') return no_server(command, why + "; its process " + number + " is stopped", "kill -CONT " + number + " lets it go on");
  if (state == 't') return no_server(command, why + "; a debugger holds its process " + number, "let it go on there");
  return no_server(command, why + "; its process " + number + " lives", "its log may say why");
}

/// Each line by itself, without an end of line at the end: no other control byte gets to the terminal.
std::string shown_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (const std::string_view line : split(trim(text), '\n')) log::append_text(lines.emplace_back(), line, false);
  return join(lines, "\n");
}

/// There is no socket, and nothing to be said about its folder.
bool is_empty(const control::Place& place) {
  if (::access(place.path.c_str(), F_OK) == 0 || errno != ENOENT) return false;
  return place.folder.empty() || control::check_private_folder(place.folder, place.owner).has_value();
}

Asked ask_at(const control::Place& place, const Found& found, control::Request request, Duration patience) {
  const std::string command = request.command;
  request.meant = found.meant;
  const auto call = [&] {
    return control::call({.where = place,
                          .request = request,
                          .patience = patience,
                          .on_progress = [&command](std::string_view text) { show_progress(command, text); }});
  };
  auto reply = call();
  if (reply && request.meant && control::does_not_know_configs(*reply)) {
    request.meant.reset();  // an older server, which has to be upgraded by a command, too
    reply = call();
  }
  if (!reply) return unanswered(command, place.path, reply.error(), hint_for(found));
  if (reply->ok) return {.code = exit_code::ok, .result = reply->result, .why = {}, .message = {}};
  const std::string error = shown_lines(reply->error);
  return {.code = reply->exit_code, .result = {}, .why = error.substr(0, error.find('\n')), .message = line_of(command, error)};
}

}  // namespace

Asked try_server(const Invocation& invocation, const control::Request& request, Duration patience) {
  const std::string& command = request.command;
  const Found found = find_server(command, invocation);
  if (found.failure.code != exit_code::ok) return found.failure;
  Asked best;  // of what the places have said, the first that tells more than that there is nothing
  std::vector<control::Place> empty;
  for (const control::Place& place : found.places) {
    if (place.automatic && is_empty(place)) {
      empty.push_back(place);
      continue;
    }
    Asked asked = ask_at(place, found, request, patience);
    if (asked.code != exit_code::unavailable) return asked;
    if (best.code == exit_code::ok) best = std::move(asked);
  }
  if (best.code != exit_code::ok) return best;
  return no_server(command, "no server to talk to at " + paths_of(empty) + ": there is no socket", hint_for(found));
}

Asked ask_server(const Invocation& invocation, const control::Request& request, Duration patience) {
  Asked asked = try_server(invocation, request, patience);
  std::cerr << asked.message;
  return asked;
}

}  // namespace serval::cli
