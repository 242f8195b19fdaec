#include "import/pm2_fields.hpp"

#include <algorithm>
#include <boost/json/value.hpp>

#include "base/text.hpp"

namespace serval::import {
namespace {

using Fate = Pm2Fate;

constexpr std::string_view kOwnAgent = "It is for PM2's own agent inside node";
constexpr std::string_view kNoWatch =
    "serval run --watch, for development, replaces a program's instances when a file that its command names has "
    "changed; "
    "in production serval reload NAME does";

constexpr Pm2Field kFields[] = {
    {"script", "exec", Fate::mapped},
    {"name", "", Fate::mapped},
    {"name_prefix", "", Fate::mapped},
    {"namespace", "", Fate::left_out, "serval has no groups of programs: commands take one name, or mean the server"},
    {"cwd", "", Fate::mapped},
    {"args", "", Fate::mapped},
    {"exec_interpreter", "interpreter", Fate::mapped},
    {"node_args", "interpreterArgs interpreter_args", Fate::mapped},
    {"execute_command", "", Fate::meaningless, "It is PM2's -x; serval always runs the command itself"},
    {"exec_mode", "", Fate::mapped},
    {"instances", "", Fate::mapped},
    {"force", "", Fate::meaningless, "Each table is a program, also of one script twice"},
    {"install_url", "", Fate::left_out, "serval installs nothing: let the deployment do it"},
    {"port", "", Fate::mapped},
    {"uid", "user", Fate::mapped},
    {"gid", "", Fate::mapped},
    {"username", "", Fate::left_out, "It only says to PM2 who has started it; the key user is who runs it"},
    {"windowsHide", "", Fate::meaningless, "It is about Windows"},
    {"autostart", "", Fate::mapped},
    {"env", "", Fate::mapped},
    {"append_env_to_name", "", Fate::mapped},
    {"filter_env", "", Fate::left_out,
     "Programs get the environment of serval itself and env: start serval with a small one (env -i, or a systemd "
     "unit)"},
    {"instance_var", "", Fate::mapped},
    {"increment_var", "", Fate::mapped},
    {"out_file", "out output out_log", Fate::mapped},
    {"error_file", "error err err_file err_log", Fate::mapped},
    {"log_file", "log", Fate::mapped},
    {"merge_logs", "combine_logs", Fate::mapped},
    {"disable_logs", "", Fate::mapped},
    {"log_type", "", Fate::mapped},
    {"log_date_format", "", Fate::left_out,
     "A file gets what the program writes, byte for byte; serval's own log (log = \"-\") and JSON lines (log.format = "
     "\"json\") have times"},
    {"time", "", Fate::left_out,
     "A file gets what the program writes, byte for byte; serval's own log (log = \"-\") and JSON lines (log.format = "
     "\"json\") have times"},
    {"pid_file", "pid", Fate::left_out, "serval writes no pid files of programs: serval status --json has the pids"},
    {"autorestart", "", Fate::mapped},
    {"stop_exit_codes", "", Fate::mapped},
    {"min_uptime", "", Fate::mapped},
    {"max_restarts", "", Fate::mapped},
    {"restart_delay", "", Fate::left_out,
     "The delay grows from restart.backoff_first to restart.backoff_max, for all programs alike: set them in "
     "[restart]"},
    {"exp_backoff_restart_delay", "", Fate::left_out,
     "serval's delays always grow, with jitter, from restart.backoff_first to restart.backoff_max: set them in "
     "[restart]"},
    {"max_memory_restart", "", Fate::mapped},
    {"cron_restart", "cron", Fate::left_out,
     "The nearest is max_lifetime = \"24h\", which replaces it at an age, or a timer of the system that runs serval "
     "reload NAME; a job that only runs at times is a program with cron or every"},
    {"wait_ready", "", Fate::mapped},
    {"listen_timeout", "", Fate::mapped},
    {"kill_timeout", "", Fate::mapped},
    {"kill_retry_time", "", Fate::meaningless, "serval hears of an end at once, it does not poll"},
    {"shutdown_with_message", "", Fate::left_out,
     "serval has no message channel to node: let process.on('SIGINT') do what process.on('message') does"},
    {"treekill", "", Fate::left_out,
     "Whatever a program has started is ended after it, always: stop_signal goes to the program alone, and what it "
     "leaves behind gets TERM"},
    {"watch", "", Fate::left_out, kNoWatch},
    {"ignore_watch", "", Fate::left_out, kNoWatch},
    {"watch_delay", "", Fate::left_out, kNoWatch},
    {"watch_options", "", Fate::left_out, kNoWatch},
    {"vizion", "", Fate::meaningless, "serval does not look at version control"},
    {"post_update", "", Fate::left_out, "serval does not fetch code: let the deployment run these, then serval reload"},
    {"source_map_support", "", Fate::left_out, "node does it: command = [\"node\", \"--enable-source-maps\", ...]"},
    {"disable_source_map_support", "", Fate::meaningless, "serval adds none"},
    {"trace", "", Fate::left_out, kOwnAgent},
    {"disable_trace", "", Fate::meaningless, kOwnAgent},
    {"v8", "", Fate::left_out, kOwnAgent},
    {"event_loop_inspector", "", Fate::left_out, kOwnAgent},
    {"deep_monitoring", "", Fate::left_out, kOwnAgent},
    {"pmx", "", Fate::meaningless, kOwnAgent},
    {"automation", "", Fate::meaningless, kOwnAgent},
    {"io", "", Fate::left_out, kOwnAgent},
    {"write", "", Fate::meaningless, "It is about PM2's own list of processes"},
};

}  // namespace

std::span<const Pm2Field> pm2_fields() { return kFields; }

const Pm2Field* find_pm2_field(std::string_view key) {
  const auto found = std::find_if(std::begin(kFields), std::end(kFields), [key](const Pm2Field& field) {
    if (field.name == key) return true;
    const auto aliases = split(field.aliases, ' ');
    return !key.empty() && std::find(aliases.begin(), aliases.end(), key) != aliases.end();
  });
  return found == std::end(kFields) ? nullptr : found;
}

const boost::json::value* pm2_value(const boost::json::object& app, std::string_view name) {
  for (const auto& entry : app) {
    const Pm2Field* field = find_pm2_field({entry.key().data(), entry.key().size()});
    if (field != nullptr && field->name == name && !entry.value().is_null()) return &entry.value();
  }
  return nullptr;
}

}  // namespace serval::import
