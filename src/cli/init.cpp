#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cli/bodies.hpp"
#include "cli/node_module.hpp"
#include "cli/usage.hpp"
#include "config/env_file.hpp"
#include "config/file_text.hpp"
#include "import/pm2.hpp"
#include "import/procfile.hpp"
#include "os/cpus.hpp"

namespace serval::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto kNodePatience = std::chrono::seconds(30);
constexpr std::size_t kMaxBytes = 4 * 1024 * 1024;

Result<std::string> read_file(const std::string& path) {
  config::FileText file = config::read_regular_file(path, kMaxBytes);
  if (!file.why.empty()) return Error{file.why};
  for (std::string_view rest = file.text; !rest.empty();) {
    const std::size_t size = utf8_length(rest);
    if (size == 0) return Error{"it is not UTF-8, as a serval.toml has to be"};
    rest.remove_prefix(size);
  }
  return std::move(file.text);
}

Result<std::string> from_procfile(const Invocation&, const std::string& file) {
  const auto text = read_file(file);
  if (!text) return Error{text.error()};
  const fs::path beside = fs::path(file).parent_path() / ".env";
  import::ProcfileSetting setting{.name = file};
  std::error_code error;
  setting.has_env_file = fs::is_regular_file(beside, error);
  if (setting.has_env_file) {
    if (const auto env = read_file(beside.string())) {
      const auto variables = config::parse_env_file(*env).variables;
      if (const auto port = variables.find("PORT"); port != variables.end()) setting.port = port->second;
    }
  }
  return import::procfile_to_toml(*text, setting);
}

Result<std::string> from_pm2(const Invocation& invocation, const std::string& file) {
  const std::string ending = fs::path(file).extension().string();
  const bool script = ending == ".js" || ending == ".cjs" || ending == ".mjs";
  if (ending == ".yml" || ending == ".yaml" || ending == ".json5")
    return Error{"serval reads no " + ending.substr(1) + " here; write it as JSON, or as a .js file that exports it"};
  // Also where node evaluates it: what is no file has a better error here.
  auto text = read_file(file);
  if (!text) return Error{text.error()};
  if (script) {
    text = evaluate_module(file, kNodePatience);
    if (!text) {
      return Error{text.error() + "; where it works: node -p 'JSON.stringify(require(\"./" +
                   fs::path(file).filename().string() + "\"))' > ecosystem.json, and then that file"};
    }
  }
  const auto ecosystem = import::parse_pm2_json(*text);
  if (!ecosystem) return Error{ecosystem.error()};
  const fs::path folder = fs::path(file).parent_path();
  return import::pm2_to_toml(*ecosystem, {.file = file,
                                          .environment = invocation.environment_name,
                                          .cpus = std::max(1, os::usable_cpus().usable),
                                          .is_file = [folder](const std::string& path) {
                                            std::error_code error;
                                            return fs::is_regular_file(folder / path, error);
                                          }});
}

/// What can be printed. The one list: others get a row.
struct Kind {
  bool Invocation::*asked;
  std::string_view flag;
  std::string_view file;  ///< that is read where none is named; empty: one has to be
  Result<std::string> (*make)(const Invocation& invocation, const std::string& file);
};
constexpr Kind kKinds[] = {
    {&Invocation::from_procfile, "--from-procfile", "Procfile", from_procfile},
    {&Invocation::from_pm2, "--from-pm2", "", from_pm2},
};

}  // namespace

int init(const Invocation& invocation) {
  std::vector<const Kind*> asked;
  for (const Kind& kind : kKinds) {
    if (invocation.*kind.asked) asked.push_back(&kind);
  }
  if (asked.size() != 1) {
    return usage_error("init", asked.empty() ? "nothing says of what" : "one thing at a time",
                       "serval init --from-procfile [FILE], or serval init --from-pm2 FILE");
  }
  const Kind& kind = *asked.front();
  if (invocation.words.empty() && kind.file.empty())
    return usage_error("init", std::string(kind.flag) + " needs a file",
                       "for example serval init " + std::string(kind.flag) + " ecosystem.config.js");
  if (!invocation.environment_name.empty() && !invocation.from_pm2)
    return usage_error("init", "--env is for --from-pm2", "leave it out");
  const std::string file = invocation.words.empty() ? std::string(kind.file) : invocation.words.front();
  const auto text = kind.make(invocation, file);
  if (!text) {
    std::cerr << "serval init: " << file << ": " << text.error() << '\n';
    return exit_code::app_failed;
  }
  std::cout << *text;
  return exit_code::ok;
}

}  // namespace serval::cli
