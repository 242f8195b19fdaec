#include "cli/flags.hpp"

namespace serval::cli {
namespace {

constexpr FlagRow kTable[] = {
    {.flag = Flag::json,
     .long_name = "json",
     .summary = "print the answer as it came, a JSON object in one line",
     .given = &Invocation::json},
    {.flag = Flag::now, .long_name = "now", .summary = "do not wait for requests in flight", .given = &Invocation::now},
    {.flag = Flag::ready,
     .long_name = "ready",
     .summary = "ask whether traffic may be sent to it, instead of whether it lives",
     .given = &Invocation::ready},
    {.flag = Flag::timeout,
     .long_name = "timeout",
     .placeholder = "DURATION",
     .summary = "how long to wait for the server's answer",
     .once = "give one of them",
     .value = &Invocation::timeout},
    {.flag = Flag::seconds,
     .long_name = "seconds",
     .placeholder = "N",
     .summary = "how long to take samples, up to 3600 (default: 10)",
     .once = "give one of them",
     .value = &Invocation::seconds},
    {.flag = Flag::cpu,
     .long_name = "cpu",
     .summary = "samples of CPU time: of threads that run, not of those that wait",
     .given = &Invocation::cpu},
    {.flag = Flag::hz,
     .long_name = "hz",
     .placeholder = "N",
     .summary = "samples per second of each thread, up to 1000 (default: 100)",
     .once = "give one of them",
     .value = &Invocation::hz},
    {.flag = Flag::all,
     .long_name = "all",
     .summary = "keep serval's own frames, which enclose the app's",
     .given = &Invocation::all},
    {.flag = Flag::output,
     .short_name = 'o',
     .long_name = "output",
     .placeholder = "FILE",
     .summary = "where the profile goes; its ending says as what (default: a table, on standard output)",
     .not_empty = "a path",
     .once = "other formats take another profile",
     .value = &Invocation::output},
    {.flag = Flag::server_config,
     .short_name = 'c',
     .long_name = "config",
     .placeholder = "FILE",
     .summary = "configuration of the server (default: ./serval.toml if there is one)",
     .once = "there is one configuration file"},
    {.flag = Flag::socket,
     .long_name = "socket",
     .placeholder = "PATH",
     .summary = "control socket of the server (default: where the configuration says)",
     .not_empty = "a path",
     .once = "ask one server after the other",
     .value = &Invocation::socket},
    {.flag = Flag::name,
     .long_name = "name",
     .placeholder = "NAME",
     .summary = "name of the server, for one that has no configuration file at hand",
     .not_empty = "a name",
     .once = "ask one server after the other",
     .value = &Invocation::server},
    {.flag = Flag::config,
     .short_name = 'c',
     .long_name = "config",
     .placeholder = "FILE",
     .summary = "configuration file (default: ./serval.toml if there is one)",
     .once = "there is one configuration file"},
    {.flag = Flag::origin,
     .long_name = "origin",
     .summary = "say where each value came from",
     .given = &Invocation::origin},
    {.flag = Flag::show_secrets,
     .long_name = "show-secrets",
     .summary = "print the values of app.args and app.env as well",
     .given = &Invocation::show_secrets},
    {.flag = Flag::quiet,
     .short_name = 'q',
     .summary = "log warnings and errors only, as --log.level warning",
     .level = "warning"},
    {.flag = Flag::verbose, .short_name = 'v', .summary = "log everything, as --log.level debug", .level = "debug"},
};

}  // namespace

std::span<const FlagRow> flag_table() { return kTable; }

std::string short_form(const FlagRow& row) {
  return row.short_name != 0 ? "-" + std::string(1, row.short_name) : "--" + std::string(row.long_name);
}

std::string long_form(const FlagRow& row) {
  return row.long_name.empty() ? "-" + std::string(1, row.short_name) : "--" + std::string(row.long_name);
}

std::string all_forms(const FlagRow& row) {
  std::string forms = short_form(row);
  if (const std::string other = long_form(row); other != forms) forms += ", " + other;
  return forms + (row.placeholder.empty() ? "" : " ") + std::string(row.placeholder);
}

}  // namespace serval::cli
