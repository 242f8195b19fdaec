#include "cli/find_server.hpp"

#include <glob.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "config/reading.hpp"

namespace serval::cli {
namespace {

/// The sockets that servers of any name have where they may be.
std::vector<control::SocketLocation> default_sockets(const config::Environment& environment) {
  std::vector<control::SocketLocation> found;
  for (const control::SocketLocation& pattern : control::places_to_look({}, "*", {}, environment, ::geteuid())) {
    glob_t matches{};
    if (::glob(pattern.path.c_str(), 0, nullptr, &matches) == 0) {
      for (std::size_t i = 0; i < matches.gl_pathc; ++i) {
        control::SocketLocation place = pattern;
        place.path = matches.gl_pathv[i];
        found.push_back(std::move(place));
      }
    }
    ::globfree(&matches);
  }
  return found;
}

/// There are problems: it does not even say what its server is called. The one that was started from it runs all the
/// same.
Asked bad_config(std::string_view command, const config::Loaded& loaded, const config::Environment& environment) {
  const std::string problems = config::format_problems(loaded.problems, "error");
  std::string hint =
      "mend it, serval check says whether it is right; or name the server with --socket PATH or --name NAME";
  if (const auto sockets = default_sockets(environment); !sockets.empty()) hint += "; there is " + paths_of(sockets);
  Asked asked = failed(exit_code::config, command, "the configuration does not say which server is meant", hint);
  asked.why = problems.substr(0, problems.find('\n'));
  asked.message = config::format_problems(loaded.notes, "warning") + problems + asked.message;
  return asked;
}

/// Nothing says which server is meant.
Found find_only_server(std::string_view command, const config::Environment& environment) {
  const auto sockets = default_sockets(environment);
  if (sockets.size() == 1) return {.places = sockets, .unnamed = true};
  if (sockets.empty()) {
    const std::string patterns = paths_of(control::places_to_look({}, "*", {}, environment, ::geteuid()));
    return {.places = {},
            .failure = no_server(command, "there is no serval.toml here, and no server's socket at " + patterns,
                                 kNameAnother)};
  }
  return {.places = {},
          .failure = no_server(command, "several servers have sockets: " + paths_of(sockets),
                               "choose one with --socket PATH or --name NAME")};
}

/// A socket that is named by other means than the file is meant itself, whichever server has it.
bool names_socket(const config::Loaded& loaded) {
  const auto kind = loaded.origins.find("control.socket")->second.kind;
  return kind == config::ValueSource::Kind::environment || kind == config::ValueSource::Kind::flag;
}

}  // namespace

std::string paths_of(const std::vector<control::SocketLocation>& places) {
  std::vector<std::string> paths;
  for (const control::SocketLocation& place : places) paths.push_back(place.path);
  return join(paths, ", ");
}

Found find_server(std::string_view command, const Invocation& invocation) {
  if (!invocation.socket.empty()) return {.places = {{.path = invocation.socket, .automatic = false, .folder = {}}}};
  if (const std::string& name = invocation.server; !name.empty()) {
    return {.places = control::places_to_look({}, name, name, invocation.sources.environment, ::geteuid())};
  }
  const auto loaded = config::load(invocation.sources);
  const auto& config = loaded.config;
  if (config.control.socket.empty() && config.server.name.empty()) {
    if (invocation.sources.file) {
      return {.places = {}, .failure = bad_config(command, loaded, invocation.sources.environment)};
    }
    return find_only_server(command, invocation.sources.environment);
  }
  // /etc/serval/shop.toml is what serval@shop.service serves, whatever the app's name is.
  const std::string unit = loaded.file.empty() ? "" : std::filesystem::path(loaded.file).stem().string();
  Found found;
  found.places =
      control::places_to_look(config.control, config.server.name, unit, invocation.sources.environment, ::geteuid());
  if (found.places.empty()) {
    found.failure =
        no_server(command, "the server of this configuration has no socket: control.socket is \"off\"", kNameAnother);
  }
  if (!loaded.file.empty() && !names_socket(loaded)) {
    found.meant = control::ConfigFile{loaded.file, config::real_path(loaded.file)};
  }
  // What else may be wrong, such as a variable that only the server has, is no reason not to ask it.
  found.problems = !loaded.problems.empty();
  return found;
}

}  // namespace serval::cli
