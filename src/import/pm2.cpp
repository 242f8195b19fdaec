#include "import/pm2.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <vector>

#include "base/text.hpp"
#include "import/pm2_app.hpp"
#include "import/program_text.hpp"

namespace serval::import {
namespace {

namespace json = boost::json;

constexpr int kMaxDepth = 64;

/// Where the apps are in it, as PM2 looks for them.
const json::value& apps_in(const json::value& ecosystem) {
  const auto* object = ecosystem.if_object();
  if (object == nullptr) return ecosystem;
  if (const auto* apps = object->if_contains("apps")) return *apps;
  if (const auto* pm2 = object->if_contains("pm2")) return apps_in(*pm2);
  return ecosystem;
}

std::string header(const Pm2Setting& setting) {
  const std::string made = "Made by serval init --from-pm2 " + setting.file +
                           (setting.environment.empty() ? "" : " --env " + setting.environment);
  return comment(made + ". As serval.toml beside it, it does the same: serval check, then serval run.") +
         comment(
             "What is different from PM2 for all: serval runs in the foreground, for systemd or a container to start "
             "(its file is the list of programs, so nothing has to be saved); a program may take 30 seconds to end "
             "(grace), not 1.6; its output goes into serval's log unless log names a file; one that keeps dying is "
             "started again with a growing delay; a reload replaces what has changed and never overlaps instances that "
             "have no socket from listen.");
}

/// What stands beside the apps.
std::string other_parts(const json::value& ecosystem) {
  const auto* object = ecosystem.if_object();
  if (object == nullptr || !object->contains("apps")) return {};
  std::string text;
  for (const auto& entry : *object) {
    const std::string key(entry.key());
    if (key == "apps") continue;
    text +=
        comment(key == "deploy" ? "Not taken over: deploy. serval copies no code: deploy as before, then serval reload."
                                : "Not taken over: " + shortened(key, 80) + ", which stands beside apps.");
  }
  return text;
}

}  // namespace

Result<json::value> parse_pm2_json(std::string_view text) {
  json::parse_options options;
  options.allow_comments = true;
  options.allow_trailing_commas = true;
  options.max_depth = kMaxDepth;
  json::error_code error;
  auto value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error) return Error{"it is no JSON: " + error.message()};
  return value;
}

Result<std::string> pm2_to_toml(const json::value& ecosystem, const Pm2Setting& setting) {
  const json::value& apps = apps_in(ecosystem);
  std::vector<const json::object*> found;
  if (const auto* one = apps.if_object()) found.push_back(one);
  if (const auto* list = apps.if_array()) {
    for (const json::value& app : *list) {
      if (!app.is_object()) return Error{"one of its apps is no object with keys"};
      found.push_back(&app.get_object());
    }
  }
  if (found.empty()) return Error{"there are no apps in it: expected apps: [{script: ...}]"};
  std::string text = header(setting) + other_parts(ecosystem);
  ProgramNames names;
  for (const json::object* app : found) {
    auto table = pm2_app_to_toml(*app, setting, names);
    if (!table) return Error{table.error()};
    text += "\n" + *table;
  }
  return text;
}

}  // namespace serval::import
