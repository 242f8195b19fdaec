#include "cli/log_paths.hpp"

#include <algorithm>
#include <boost/json/value.hpp>
#include <string_view>

#include "control/shown.hpp"

namespace serval::cli {

namespace {

/// As it is: a path may be any bytes.
std::string path_at(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

}  // namespace

LogPaths log_paths(const boost::json::object& status, const std::string& program) {
  LogPaths found;
  for (const auto* one : control::objects_in(status, "programs")) {
    if (program.empty() || control::text_at(*one, "name") != program) continue;
    for (const auto* instance : control::objects_in(*one, "instances")) {
      std::string path = path_at(*instance, "log_file");
      if (!path.empty() && std::find(found.paths.begin(), found.paths.end(), path) == found.paths.end())
        found.paths.push_back(std::move(path));
    }
  }
  found.of_program = !found.paths.empty();
  if (found.of_program) return found;
  if (!status.contains("log_file")) {
    found.why = "the server is an older one, which does not say where its log is";
    found.hint = "read the file that its log.file names; a restart or serval upgrade makes it a newer one";
    return found;
  }
  if (std::string path = path_at(status, "log_file"); !path.empty()) {
    found.paths.push_back(std::move(path));
    return found;
  }
  found.why = "the log goes to standard error, where serval cannot read it again";
  found.hint =
      "ask what started the server, for example journalctl -u UNIT or docker logs CONTAINER; or set log.file to a file";
  return found;
}

}  // namespace serval::cli
