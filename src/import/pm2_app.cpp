#include "import/pm2_app.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <filesystem>
#include <map>
#include <vector>

#include "base/text.hpp"
#include "base/units.hpp"
#include "config/programs.hpp"
#include "import/pm2_command.hpp"
#include "import/pm2_fields.hpp"
#include "import/pm2_values.hpp"
#include "import/shell_words.hpp"

namespace serval::import {
namespace {

namespace json = boost::json;

/// One app while its table is written.
class App {
 public:
  App(const json::object& app, const Pm2Setting& setting) : app_(app), setting_(setting) {}

  Result<std::string> run(ProgramNames& names) {
    const json::value* script = at("script");
    if (script == nullptr || trim(as_text(*script)).empty())
      return Error{"an app of it has no script: there is nothing to start"};
    read_environment();
    const std::string wanted = name_of(as_text(*script));
    const std::string name = names.take(wanted);
    ProgramText program(name);
    out_ = &program;
    if (name != wanted)
      program.note("It is called " + shortened(wanted, 80) +
                   " in PM2; that name is not possible here, or means something else.");
    write_command(as_text(*script));
    write_place();
    write_instances();
    write_environment();
    write_restarts();
    write_readiness_and_end();
    write_logs();
    note_the_rest();
    return program.text();
  }

 private:
  const json::value* at(std::string_view name) const { return pm2_value(app_, name); }

  /// What it says under a key cannot be taken over.
  void note_unfit(std::string_view key) {
    out_->note("Not taken over: " + std::string(key) + " = " + shortened(json::serialize(*at(key)), 60) +
               ", which PM2 could not use either.");
  }

  std::string name_of(const std::string& script) const {
    std::string first = shell_words(script).front();
    while (first.size() > 1 && first.ends_with('/')) first.pop_back();  // a folder
    std::string name = std::filesystem::path(first).stem().string();
    if (const auto* said = at("name")) name = as_text(*said);
    if (const auto* prefix = at("name_prefix")) name = as_text(*prefix) + name;
    if (is_true(at("append_env_to_name")) && !setting_.environment.empty()) name += "-" + setting_.environment;
    return name;
  }

  void read_environment() {
    const auto add = [this](const json::value* value) {
      const auto* table = value == nullptr ? nullptr : value->if_object();
      if (table == nullptr) return;
      for (const auto& entry : *table) environment_[std::string(entry.key())] = as_text(entry.value());
    };
    add(at("env"));
    if (!setting_.environment.empty()) add(app_.if_contains("env_" + setting_.environment));
    if (const auto* port = at("port")) environment_["PORT"] = as_text(*port);
  }

  // --- command and place

  void write_command(const std::string& script) {
    const Pm2Command command = pm2_command(app_, script, setting_);
    for (const std::string& note : command.notes) out_->note(note);
    out_->set("command", toml_list(command.words));
    node_ = command.is_of_node;
  }

  std::string folder() const { return pm2_folder(app_); }

  void write_place() {
    if (!folder().empty()) out_->set("working_directory", toml_text(folder()));
    if (const auto* user = at("uid")) out_->set("user", toml_text(as_text(*user)));
    if (const auto* group = at("gid")) out_->set("group", toml_text(as_text(*group)));
  }

  // --- instances

  int count() {
    const auto* said = at("instances");
    if (said == nullptr) return 1;
    if (as_text(*said) == "max") return setting_.cpus;
    const auto number = as_number(*said);
    if (!number) {
      note_unfit("instances");
      return 1;
    }
    if (*number <= 0) return static_cast<int>(std::max<std::int64_t>(setting_.cpus + *number, 1));
    return static_cast<int>(std::min<std::int64_t>(*number, config::kMostInstances));
  }

  bool is_cluster() const {
    if (const auto* mode = at("exec_mode")) return as_text(*mode).starts_with("cluster");
    return at("instances") != nullptr && node_;
  }

  void write_instances() {
    count_ = count();
    const bool stopped = at("autostart") != nullptr && !is_true(at("autostart"));
    if (stopped) {
      out_->set("count", "0");
      out_->note("autostart = false: serval scale NAME=" + std::to_string(count_) + " starts it.");
    } else if (count_ != 1) {
      out_->set("count", std::to_string(count_));
      const auto* said = at("instances");
      if (as_text(*said) == "max" || as_number(*said).value_or(1) <= 0)
        out_->note("instances = " + as_text(*said) + " is " + std::to_string(count_) + " on this machine.");
    }
    if (count_ > 1 && at("instance_var") == nullptr && node_)
      out_->note("NODE_APP_INSTANCE is called SERVAL_INSTANCE here.");
    if (is_cluster() && count_ > 1) write_listen();
  }

  /// What PM2's cluster mode does by node's own module, serval does with sockets that it hands over.
  void write_listen() {
    const auto port = environment_.find("PORT");
    const bool known = port != environment_.end() && !port->second.empty() && port->second.size() <= 5 &&
                       std::all_of(port->second.begin(), port->second.end(),
                                   [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; });
    if (known) out_->set("listen", toml_list({"0.0.0.0:" + port->second}));
    out_->note(std::string(known
                               ? "Cluster mode: serval listens, and all instances get the socket as descriptor 3. "
                               : "Cluster mode: name the address here, for example listen = [\"0.0.0.0:3000\"]; serval "
                                 "listens, and all instances get the socket as descriptor 3. ") +
               "The one change in the program: server.listen({fd: 3}) in place of server.listen(PORT); "
               "server.listen(process.env.LISTEN_FDS ? {fd: 3} : PORT) does for both. With PORT it would find the "
               "address taken.");
  }

  // --- environment

  void write_environment() {
    if (!environment_.empty()) out_->set("env", toml_table(environment_));
    std::vector<std::string> others;
    for (const auto& entry : app_) {
      const std::string key(entry.key());
      if (key.starts_with("env_") && key != "env_" + setting_.environment) others.push_back(key.substr(4));
    }
    if (others.empty()) return;
    out_->note("Other environments of it: " + join(others, ", ") + ". serval init --from-pm2 --env NAME takes one in.");
  }

  // --- restarts

  void write_restarts() {
    if (at("autorestart") != nullptr && !is_true(at("autorestart"))) out_->set("restart", "\"never\"");
    write_stop_codes();
    if (const auto* said = at("max_restarts")) {
      const auto number = as_number(*said);
      if (number && *number >= 0 && *number <= 1'000'000) {
        out_->set("give_up_after", std::to_string(*number));
      } else {
        note_unfit("max_restarts");
      }
    }
    if (const auto* said = at("max_memory_restart")) {
      const auto size = pm2_size(*said);
      const auto bytes = size ? parse_size(*size) : Result<std::size_t>(Error{});
      if (bytes && *bytes >= config::MiB) {
        out_->set("memory_soft", toml_text(*size));
        out_->note("memory_soft counts what it has started as well, and looks every memory.interval.");
      } else {
        note_unfit("max_memory_restart");
      }
    }
  }

  void write_stop_codes() {
    const auto* said = at("stop_exit_codes");
    if (said == nullptr) return;
    const std::vector<std::string> codes = exit_codes_in(*said);
    if (codes.empty()) return note_unfit("stop_exit_codes");
    out_->set("stop_codes", "[" + join(codes, ", ") + "]");
  }

  // --- readiness and end

  void write_duration(std::string_view field, const std::string& key, const std::string& before = {}) {
    const auto* said = at(field);
    if (said == nullptr) return;
    const auto duration = pm2_duration(*said);
    if (!duration) return note_unfit(field);
    out_->set(key, quoted(before + *duration));
  }

  void write_readiness_and_end() {
    write_duration("min_uptime", "ready", "alive:");
    if (const auto* said = at("min_uptime")) {
      const auto alive = parse_duration(pm2_duration(*said).value_or("0"));
      const Duration usual = config::Program().ready_timeout;
      if (alive && *alive >= usual) out_->set("ready_timeout", quoted(format_duration(2 * *alive)));
    }
    if (is_true(at("wait_ready"))) {
      out_->note(
          "wait_ready: process.send('ready') has no channel here. With ready = \"fd\" the program says it by "
          "require('fs').writeSync(Number(process.env.SERVAL_READY_FD), '\\n'); or serval asks: ready = "
          "\"http://127.0.0.1:PORT/PATH\". Unlike in PM2 one that is not ready in time is not taken for ready.");
      if (at("listen_timeout") != nullptr) out_->note("listen_timeout: ready_timeout, with such a ready.");
    } else if (at("listen_timeout") != nullptr) {
      out_->note(
          "Not taken over: listen_timeout, which is for wait_ready and cluster mode; ready_timeout is the like.");
    }
    out_->set("stop_signal", "\"INT\"");
    write_duration("kill_timeout", "grace");
  }

  // --- logs

  /// PM2 adds its number of the process, unless logs are merged.
  std::filesystem::path with_number(std::filesystem::path path) const {
    if (count_ <= 1 || is_true(at("merge_logs"))) return path;
    const std::string ending = path.extension().string();
    path.replace_extension();
    path += "-{instance}" + ending;
    return path;
  }

  /// From the folder of the configuration, as serval takes it; PM2 takes it from the app's.
  std::string log_path(const std::string& said) const {
    if (said == "NULL" || said == "/dev/null") return "/dev/null";
    return with_number(std::filesystem::path(folder()) / said).string();
  }

  void write_logs() {
    const auto* out = at("log_file");
    if (out == nullptr || !out->is_string()) out = at("out_file");
    const auto* error = at("error_file");
    if (out == nullptr || !out->is_string()) out = error;
    if (is_true(at("disable_logs"))) {
      out_->set("log", "\"/dev/null\"");
    } else if (out != nullptr && out->is_string()) {
      const std::string path = as_text(*out);
      const bool home = path.starts_with("~/");
      out_->set("log", home ? quoted("${HOME}/" + with_number(path.substr(2)).string()) : toml_text(log_path(path)));
      if (at("out_file") != nullptr && error != nullptr && as_text(*at("out_file")) != as_text(*error))
        out_->note(
            "Standard output and error go into one file: error_file is left out. As JSON lines (log.format = "
            "\"json\") each says which it was.");
    }
    if (const auto* type = at("log_type"); type != nullptr && as_text(*type) == "json")
      out_->note("log_type = json: set log.format = \"json\" in [log], for all programs and serval itself.");
  }

  void note_the_rest() {
    std::map<std::string_view, std::vector<std::string>> keys;  // by the reason: each is said once
    std::vector<std::string> unknown;
    for (const auto& entry : app_) {
      const std::string key(entry.key());
      const Pm2Field* field = find_pm2_field(key);
      if (field == nullptr && key.starts_with("env_")) continue;
      if (field == nullptr) unknown.push_back(key);
      if (field == nullptr || field->fate == Pm2Fate::mapped) continue;
      const bool off = entry.value().is_bool() && !entry.value().get_bool();
      keys[field->why].push_back(key + (off ? " = false" : ""));
    }
    for (const auto& [why, names] : keys)
      out_->note("Not taken over: " + join(names, ", ") + ". " + std::string(why) + ".");
    if (!unknown.empty()) out_->note("Not taken over: " + join(unknown, ", ") + ". PM2 does not know that either.");
  }

  const json::object& app_;
  const Pm2Setting& setting_;
  ProgramText* out_ = nullptr;
  std::map<std::string, std::string> environment_;
  bool node_ = false;
  int count_ = 1;
};

}  // namespace

Result<std::string> pm2_app_to_toml(const json::object& app, const Pm2Setting& setting, ProgramNames& names) {
  return App(app, setting).run(names);
}

}  // namespace serval::import
