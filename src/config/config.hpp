#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_field.hpp"
#include "base/time.hpp"

/// The effective configuration as plain values. The defaults stand here and nowhere else; what each key means, its
/// range and its documentation are in the option table (config/options.cpp). Immutable once loaded: one Config per
/// generation.
namespace serval::config {

using namespace std::chrono_literals;

/// Of the admin endpoints where none is chosen: another server of the machine may have it.
inline constexpr std::string_view kDefaultAdminBind = "127.0.0.1:9464";

inline constexpr std::size_t KiB = 1024;
inline constexpr std::size_t MiB = 1024 * KiB;

using LogLevel = log::Level;  ///< all but `off`
using LogFormat = log::Format;
using LogKeys = log::Keys;
enum class MemoryMeasure { pss, rss, uss };

/// Variables of a table and of env files: the table's win.
inline std::map<std::string, std::string> joined(std::map<std::string, std::string> table,
                                                 const std::map<std::string, std::string>& files) {
  table.insert(files.begin(), files.end());
  return table;
}

struct App {
  std::string library;                          ///< path of the shared library; relative to the config file
  std::vector<std::string> args;                ///< handed to the app
  std::map<std::string, std::string> env;       ///< set for the mold and the workers
  std::vector<std::string> env_file;            ///< files with more of them; '-' before one: it may be missing
  std::map<std::string, std::string> file_env;  ///< no option: what these held when they were read

  std::map<std::string, std::string> environment() const { return joined(env, file_env); }
};

struct Server {
  std::string name;  ///< empty: the library's name without "lib" and ".so"
  std::vector<std::string> bind = {"0.0.0.0:8000"};
  int backlog = 2048;
  std::string pidfile;  ///< empty: none
  std::string user;     ///< empty: keep the current user
  std::string group;
  unsigned umask = 0022;
};

struct Workers {
  std::optional<int> count;  ///< none: auto, 2 x usable CPUs + 1, capped by memory
  int threads = 5;
  int queue = 128;
  Duration queue_timeout = 0s;  ///< 0: no limit
  Duration boot_timeout = 60s;
  Duration heartbeat_timeout = 30s;  ///< 0: no limit
  int max_requests = 0;              ///< 0: never
  int max_requests_jitter = 0;
  Duration max_lifetime = 0s;  ///< 0: no limit
  Duration max_lifetime_jitter = 0s;
  int max_recycling = 1;
};

/// Ceilings for one worker.
struct Memory {
  std::size_t soft = 0;  ///< bytes; 0: none
  std::size_t hard = 0;  ///< bytes; 0: none
  MemoryMeasure measure = MemoryMeasure::pss;
  Duration interval = 1s;
  int samples = 3;  ///< in a row above soft
};

struct Request {
  Duration timeout = 30s;
  Duration header_timeout = 10s;
  Duration body_timeout = 30s;
  std::size_t body_min_rate = 512;  ///< bytes per second, on average after 5 s; 0: no limit
  Duration write_timeout = 30s;
  Duration keep_alive = 75s;    ///< 0: close after each answer
  int keep_alive_requests = 0;  ///< 0: no limit
  std::size_t max_header = 64 * KiB;
  int max_headers = 128;
  std::size_t max_target = 8 * KiB;
  std::size_t max_body = 16 * MiB;   ///< 0: no limit
  std::size_t spill_body = 1 * MiB;  ///< beyond: a temporary file
  bool answer_id = false;            ///< answers have the X-Request-Id of their request
  std::vector<std::string> trusted_proxies = {"127.0.0.1", "::1", "unix"};
  bool proxy_protocol = false;
};

struct Restart {
  Duration backoff_first = 100ms;
  Duration backoff_max = 30s;
  Duration backoff_reset = 60s;
  int give_up_after = 0;  ///< crashes in a row without one healthy worker; 0: never
};

/// A number of workers, or a share of them.
struct Portion {
  int number = 1;
  bool percent = false;

  /// At least one of them.
  int of(int workers) const { return std::max(1, percent ? workers * number / 100 : number); }
  bool operator==(const Portion&) const = default;
};

struct Reload {
  int surge = 1;                 ///< new workers ahead of old ones
  Duration ready_timeout = 60s;  ///< of the first new worker
  Duration watch = 0s;           ///< 0: the figures of the new generation are not looked at
  Portion canary;                ///< workers of the new generation while it is watched
  double max_error_ratio = 2;    ///< new against old
  double max_latency_ratio = 2;  ///< likewise
  Duration keep = 0s;            ///< 0: the generation before goes with its last worker
};

struct Shutdown {
  Duration delay = 0s;  ///< goes on serving for so long, unready
  Duration grace = 30s;
};

struct Log {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  LogKeys keys = LogKeys::serval;          ///< of lines that are JSON
  std::string file = "-";                  ///< "-" is standard error
  std::string access = "-";                ///< "-" is standard output; "off"; or a path
  std::string access_format = "combined";  ///< combined | json | a template
  Duration slow = 0s;                      ///< requests that take longer have a line; 0: none has
  std::vector<std::string> redact;         ///< query parameters whose values are not logged
  bool capture = true;
};

/// Whether a setting that is a path, "-" or "off" names a file, rather than a standard stream or nothing.
inline bool names_file(std::string_view setting) { return !setting.empty() && setting != "-" && setting != "off"; }

/// Probes on the app's own listeners, answered by serval.
struct Health {
  std::string live;              ///< path; empty: none
  std::string ready;             ///< path; empty: none
  std::string drain_file;        ///< while it exists the server is not ready; empty: none
  int ready_workers = 1;         ///< fewer that serve and are ready: the server is not
  Duration ready_interval = 1s;  ///< between two questions to the app's ready(); 0: none after its first yes
  bool log = false;              ///< probes get access lines

  bool probed() const { return !live.empty() || !ready.empty(); }
};

/// The endpoints for those who watch the server.
struct Admin {
  std::string bind{kDefaultAdminBind};   ///< an address; "off": none
  std::string statsd;                    ///< where StatsD listens, "host:port"; empty: nothing is sent
  std::string statsd_prefix = "serval";  ///< of what it is told; empty: none

  bool on() const { return bind != "off"; }
  /// Else another port of the same address does as well.
  bool bind_is_chosen() const { return on() && bind != kDefaultAdminBind; }
};
/// Where commands such as `serval status` reach the master.
struct Control {
  std::string socket;    ///< empty: automatic (control/socket_location.hpp); "off"; or a path
  unsigned mode = 0600;  ///< of the socket file
};

/// Whether a program that has ended is started again.
enum class ProgramRestart { always, on_failure, never };
/// What becomes of a run that is due while another one goes on.
enum class ProgramOverlap { skip, allow };
/// What becomes of runs that could not start when they were due.
enum class ProgramMissed { skip, run };
/// How an instance gives way to a new one.
enum class ProgramReplace {
  automatic,  ///< rolling if sockets are handed over, else restart
  rolling,    ///< the new one is ready before the old one is told to stop
  restart,    ///< the old one has ended before the new one starts: the two never overlap
};

/// A program that is supervised: one [programs.NAME] table.
struct Program {
  std::vector<std::string> command;           ///< the program and its arguments; empty: `run` says what
  std::string run;                            ///< "task:NAME", a function of the app's library; empty: `command`
  int count = 1;                              ///< instances
  std::map<std::string, std::string> env;     ///< added to serval's own environment
  std::string working_directory = ".";        ///< relative to the config file
  std::string user;                           ///< empty: server.user
  std::string group;                          ///< empty: the user's own, or server.group
  std::string umask;                          ///< octal; empty: server.umask
  int nice = 0;                               ///< added to serval's own
  std::map<std::string, std::string> limits;  ///< resource (getrlimit(2)) to its limit
  std::vector<std::string> listen;            ///< addresses of sockets that are handed over
  std::vector<std::string> after;             ///< programs, or "app", that have to be ready first
  std::string ready = "alive:1s";
  Duration ready_timeout = 60s;  ///< from its start until it is ready
  Duration every = 0s;           ///< 0: not by a schedule, or by cron
  std::string cron;              ///< crontab(5); empty: not by a schedule, or by every
  ProgramOverlap overlap = ProgramOverlap::skip;
  ProgramMissed missed = ProgramMissed::skip;
  ProgramRestart restart = ProgramRestart::always;  ///< with a schedule: never, if nothing is said
  std::vector<int> stop_codes;                      ///< exit codes after which it is not started again
  int give_up_after = 0;                            ///< failures in a row; 0: never
  ProgramReplace replace = ProgramReplace::automatic;
  Duration max_lifetime = 0s;   ///< 0: no limit
  std::size_t memory_soft = 0;  ///< bytes, of it and all that it has started; 0: none
  std::size_t memory_hard = 0;  ///< likewise
  std::string stop_signal = "TERM";
  Duration grace = 30s;                         ///< 0: killed at once
  std::vector<std::string> env_file;            ///< as App::env_file
  std::map<std::string, std::string> file_env;  ///< as App::file_env
  std::string log = "-";                        ///< "-": into serval's log; or a path, "{instance}" is the number

  std::map<std::string, std::string> environment() const { return joined(env, file_env); }
  /// Where an instance's output goes; empty: into serval's log.
  std::string log_of(int number) const;
  /// Whether a new instance starts beside the one that it replaces.
  bool rolls() const {
    return replace == ProgramReplace::rolling || (replace == ProgramReplace::automatic && !listen.empty());
  }
  /// It is run to completion over and over, instead of being kept running.
  bool scheduled() const { return every > Duration::zero() || !cron.empty(); }
  bool is_task() const { return !run.empty(); }
  bool operator==(const Program&) const = default;
};
using Programs = std::map<std::string, Program>;  ///< by name

struct Config {
  App app;
  Server server;
  Workers workers;
  Memory memory;
  Request request;
  Restart restart;
  Reload reload;
  Shutdown shutdown;
  Log log;
  Health health;
  Admin admin;
  Control control;
  Programs programs;
  /// No option of the server: where the options of one program have their place while its table is read or written
  /// (config/programs.hpp).
  Program program;
  /// No option: the paths of those in which the file has variables. What these held may be secret, whatever the option.
  std::vector<std::string> from_variables{};

  /// Without one there are only programs.
  bool has_app() const { return !app.library.empty(); }
};

}  // namespace serval::config
