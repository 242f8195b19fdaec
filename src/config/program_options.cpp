#include <algorithm>

#include "base/address.hpp"
#include "base/units.hpp"
#include "config/cron.hpp"
#include "config/env_file.hpp"
#include "config/options.hpp"
#include "config/program_values.hpp"
#include "config/programs.hpp"

namespace serval::config {
namespace {

constexpr std::int64_t kDay = 24 * 3'600'000;
constexpr auto kMiB = static_cast<std::int64_t>(MiB);
constexpr std::int64_t kTiB = kMiB * 1024 * 1024;

template <auto Member>
constexpr auto field_of() {
  return field<&Config::program, Member>();
}

Result<void> check_no_nul(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return Error{"a NUL byte cannot be handed over"};
  return {};
}

Result<void> check_folder(std::string_view text) {
  if (text.empty()) return Error{"expected a folder"};
  return check_no_nul(text);
}

Result<void> check_umask(std::string_view text) {
  if (text.empty()) return {};
  const auto mode = parse_mode(text);
  if (!mode || *mode > 0777) return Error{"expected octal permission bits, or \"\" for server.umask"};
  return {};
}

Result<void> check_limit(std::string_view text) {
  if (auto limit = parse_limit(text); !limit) return Error{limit.error()};
  return {};
}

Result<void> check_listen(std::string_view text) {
  if (auto address = Address::parse(text); !address) return Error{address.error()};
  return {};
}

Result<void> check_ready(std::string_view text) {
  if (auto rule = parse_ready(text); !rule) return Error{rule.error()};
  return {};
}

Result<void> check_cron(std::string_view text) {
  if (text.empty()) return {};
  if (auto cron = parse_cron(text); !cron) return Error{cron.error()};
  return {};
}

Result<void> check_run(std::string_view text) {
  if (text.empty()) return {};
  if (auto task = parse_run(text); !task) return Error{task.error()};
  return {};
}

Result<void> check_stop_signal(std::string_view text) {
  if (!stop_signal_number(text)) return Error{"expected TERM, INT, QUIT, HUP, USR1, USR2 or WINCH"};
  return {};
}

Result<void> check_program_log(std::string_view text) {
  if (text.empty() || text == "off") return Error{"expected a path, or \"-\" for serval's log"};
  return check_no_nul(text);
}

/// A change of a program's table concerns that program alone: it is Apply::live.
constexpr Option kProgramOptions[] = {
    {.path = "programs.NAME.command",
     .field = field_of<&Program::command>(),
     .placeholder = "[PROGRAM, ARGUMENT...]",
     .check = check_no_nul,
     .secret = true,
     .apply = Apply::live,
     .summary = "the program and its arguments, each as it is: no shell reads them",
     .more = "A program without a slash is looked for in PATH, one with a slash from working_directory. Treated as "
             "secret, as the values of env are.",
     .example = "[\"./mailer\", \"--queue\", \"default\"]"},
    {.path = "programs.NAME.run",
     .field = field_of<&Program::run>(),
     .placeholder = "task:NAME",
     .check = check_run,
     .apply = Apply::live,
     .summary = "a task of the app's library, in place of command",
     .more = "A function that the app has registered under this name (serval/tasks.hpp). It is forked from the process "
             "that has loaded the app, as workers are, so it shares their memory and code; a reload replaces it. It "
             "runs as server.user, with whose rights limits and nice have to do.",
     .example = "\"task:mailer\""},
    {.path = "programs.NAME.count",
     .field = field_of<&Program::count>(),
     .placeholder = "N",
     .range = {0, kMostInstances},
     .apply = Apply::live,
     .summary = "instances of it",
     .more = "Each has a number of its own from 0 on, which SERVAL_INSTANCE tells it; one that is started again has "
             "the same. 0: none until serval scale NAME=N.",
     .example = "3"},
    {.path = "programs.NAME.env",
     .field = field_of<&Program::env>(),
     .placeholder = "{ NAME = VALUE }",
     .check = check_no_nul,
     .secret = true,
     .apply = Apply::live,
     .summary = "environment variables for it",
     .more = "Added to the environment that serval itself was started with. The values are secret.",
     .example = "{ QUEUE_URL = \"${QUEUE_URL:-redis://127.0.0.1}\" }"},
    {.path = "programs.NAME.env_file",
     .field = field_of<&Program::env_file>(),
     .placeholder = "[FILE...]",
     .check = check_env_file,
     .is_path = true,
     .apply = Apply::live,
     .summary = "files with environment variables for it, NAME=value in each line",
     .more = "As app.env_file. A reload reads them anew, and replaces the program's instances if what they say has "
             "changed.",
     .example = "[\"mailer.env\"]"},
    {.path = "programs.NAME.working_directory",
     .field = field_of<&Program::working_directory>(),
     .placeholder = "FOLDER",
     .check = check_folder,
     .is_path = true,
     .apply = Apply::live,
     .summary = "where it is started",
     .example = "\"mailer\""},
    {.path = "programs.NAME.user",
     .field = field_of<&Program::user>(),
     .placeholder = "USER",
     .check = check_no_nul,
     .apply = Apply::live,
     .summary = "user that it runs as, with its supplementary groups",
     .more = "Empty: server.user. Needs a start as root.",
     .example = "\"mail\""},
    {.path = "programs.NAME.group",
     .field = field_of<&Program::group>(),
     .placeholder = "GROUP",
     .check = check_no_nul,
     .apply = Apply::live,
     .summary = "group that it runs as",
     .more = "Empty: the user's own; with an empty user server.group.",
     .example = "\"mail\""},
    {.path = "programs.NAME.umask",
     .field = field_of<&Program::umask>(),
     .placeholder = "MODE",
     .check = check_umask,
     .apply = Apply::live,
     .summary = "permission bits that its new files do not get, octal",
     .more = "Empty: server.umask.",
     .example = "\"0077\""},
    {.path = "programs.NAME.nice",
     .field = field_of<&Program::nice>(),
     .placeholder = "N",
     .range = {-20, 19},
     .apply = Apply::live,
     .summary = "how much it yields to other processes (nice(2)), added to serval's own",
     .more = "Only root can go below 0.",
     .example = "10"},
    {.path = "programs.NAME.limits",
     .field = field_of<&Program::limits>(),
     .placeholder = "{ RESOURCE = LIMIT }",
     .check = check_limit,
     .apply = Apply::live,
     .summary = "resource limits (setrlimit(2)), soft and hard at once",
     .more = "Resources: as, core, cpu, data, fsize, memlock, nofile, nproc, stack. A limit is a number, a size or "
             "\"unlimited\". Only root can raise one.",
     .example = "{ nofile = \"4096\", core = \"0\" }"},
    {.path = "programs.NAME.listen",
     .field = field_of<&Program::listen>(),
     .placeholder = "[ADDRESS...]",
     .check = check_listen,
     .apply = Apply::live,
     .summary = "addresses that serval listens on for it",
     .more = "As in server.bind. All instances get the same sockets, in this order from descriptor 3 on, as systemd "
             "hands them over: LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES (sd_listen_fds(3)). They stay open while "
             "instances are replaced, so that no connection is refused.",
     .example = "[\"127.0.0.1:3000\"]"},
    {.path = "programs.NAME.after",
     .field = field_of<&Program::after>(),
     .placeholder = "[NAME...]",
     .check = check_no_nul,
     .apply = Apply::live,
     .summary = "programs that have to be ready before it starts, \"app\" for the app's workers",
     .more = "One that ends for good with success counts as ready: a migration. At a stop of the server those that "
             "come after it have ended before it is told to stop.",
     .example = "[\"database\", \"app\"]"},
    {.path = "programs.NAME.ready",
     .field = field_of<&Program::ready>(),
     .placeholder = "RULE",
     .check = check_ready,
     .apply = Apply::live,
     .summary = "when an instance counts as ready",
     .more =
         "\"alive:D\": it has lived so long. \"fd\": it writes a line into the descriptor that SERVAL_READY_FD names. "
         "\"notify\": it sends READY=1 to NOTIFY_SOCKET (sd_notify(3)). \"tcp:HOST:PORT\" or \"tcp:unix:/PATH\": a "
         "connection comes about, which proves nothing of a socket from listen. \"http://HOST:PORT/PATH\": it answers "
         "with a status below 400.",
     .example = "\"http://127.0.0.1:3000/health\""},
    {.path = "programs.NAME.ready_timeout",
     .field = field_of<&Program::ready_timeout>(),
     .placeholder = "DURATION",
     .range = {100, kDay},
     .apply = Apply::live,
     .summary = "longest time from its start until it is ready; then it is killed and started again",
     .example = "\"2m\""},
    {.path = "programs.NAME.restart",
     .field = field_of<&Program::restart>(),
     .placeholder = "RULE",
     .apply = Apply::live,
     .summary = "whether it is started again when it has ended",
     .more = "on-failure: unless its exit code is 0 or one of stop_codes. After a failure it waits as [restart] says, "
             "and so does one that ends at once with success. Of one that is run by a schedule: never, "
             "unless it is said; on-failure tries again until the next run is due.",
     .example = "\"on-failure\""},
    {.path = "programs.NAME.every",
     .field = field_of<&Program::every>(),
     .placeholder = "DURATION",
     .range = {1'000, 365 * kDay, true},
     .apply = Apply::live,
     .summary = "it is run to completion over and over, so long after each other",
     .more =
         "From the start of the server, or from the reload that brings the table, on: the first run comes after one "
         "DURATION. Whatever a run takes does not move the others, and neither does the wall clock; time for "
         "which the machine sleeps does not count. serval start NAME runs it at once besides. \"0\": not so.",
     .example = "\"5m\""},
    {.path = "programs.NAME.cron",
     .field = field_of<&Program::cron>(),
     .placeholder = "TIMES",
     .check = check_cron,
     .apply = Apply::live,
     .summary = "it is run to completion at these times, as crontab(5) writes them",
     .more = "Minute, hour, day of the month, month and day of the week, in the time zone of TZ: numbers, names (jan, "
             "mon), lists, ranges and steps; 7 is Sunday too. Where both days are limited, one of them is enough. Also "
             "@hourly, @daily, @weekly, @monthly and @yearly. Where the clock is put forward for summer, what falls "
             "into the gap runs at its end, once; where it is put back, what comes twice runs the first time, unless "
             "the hour is *.",
     .example = "\"*/5 3 * * mon-fri\""},
    {.path = "programs.NAME.overlap",
     .field = field_of<&Program::overlap>(),
     .placeholder = "HOW",
     .apply = Apply::live,
     .summary = "what becomes of a run that is due while another one goes on",
     .more = "skip: it does not take place, and a line says so. allow: it starts beside it, up to 32 at a time.",
     .example = "\"allow\""},
    {.path = "programs.NAME.missed",
     .field = field_of<&Program::missed>(),
     .placeholder = "HOW",
     .apply = Apply::live,
     .summary = "what becomes of runs that were due while the machine slept, or that the clock has jumped over",
     .more = "skip: they do not take place. run: one does, for all of them. What was due before serval was started is "
             "not known to it.",
     .example = "\"run\""},
    {.path = "programs.NAME.stop_codes",
     .field = field_of<&Program::stop_codes>(),
     .placeholder = "[CODE...]",
     .range = {0, 255},
     .apply = Apply::live,
     .summary = "exit codes after which it is not started again, whatever restart says",
     .more = "They count as success.",
     .example = "[0, 3]"},
    {.path = "programs.NAME.give_up_after",
     .field = field_of<&Program::give_up_after>(),
     .placeholder = "N",
     .range = {1, 1'000'000, true},
     .apply = Apply::live,
     .summary = "failures of an instance in a row after which it is not started again",
     .more = "Health for restart.backoff_reset in between counts from 0. serval start NAME tries again. 0: never given "
             "up.",
     .example = "10"},
    {.path = "programs.NAME.replace",
     .field = field_of<&Program::replace>(),
     .placeholder = "HOW",
     .apply = Apply::live,
     .summary = "how an instance gives way to a new one, for a reload, a recycle, its age or its memory",
     .more =
         "rolling: the new one is ready before the old one gets its stop signal; both run for a while. restart: the "
         "old one has ended before the new one starts. auto: rolling if sockets are handed over (listen). Either "
         "way one instance after the other.",
     .example = "\"rolling\""},
    {.path = "programs.NAME.max_lifetime",
     .field = field_of<&Program::max_lifetime>(),
     .placeholder = "DURATION",
     .range = {1'000, 365 * kDay, true},
     .apply = Apply::live,
     .summary = "age at which an instance is replaced, or a run of a schedule ended",
     .more = "\"0\": never.",
     .example = "\"24h\""},
    {.path = "programs.NAME.memory_soft",
     .field = field_of<&Program::memory_soft>(),
     .placeholder = "SIZE",
     .range = {kMiB, kTiB, true},
     .apply = Apply::live,
     .summary = "memory of an instance, with all that it has started, above which it is replaced",
     .more = "Measured as memory.measure, memory.interval and memory.samples say. 0: no ceiling.",
     .example = "\"256MiB\""},
    {.path = "programs.NAME.memory_hard",
     .field = field_of<&Program::memory_hard>(),
     .placeholder = "SIZE",
     .range = {kMiB, kTiB, true},
     .apply = Apply::live,
     .summary = "likewise, above which it is killed and started again",
     .more = "0: no ceiling.",
     .example = "\"512MiB\""},
    {.path = "programs.NAME.stop_signal",
     .field = field_of<&Program::stop_signal>(),
     .placeholder = "SIGNAL",
     .check = check_stop_signal,
     .apply = Apply::live,
     .summary = "what asks it to end: TERM, INT, QUIT, HUP, USR1, USR2 or WINCH",
     .more = "It goes to the program alone. Once that has ended, what it has started and left behind gets TERM.",
     .example = "\"INT\""},
    {.path = "programs.NAME.grace",
     .field = field_of<&Program::grace>(),
     .placeholder = "DURATION",
     .range = {1, kDay, true},
     .apply = Apply::live,
     .summary = "how long it may take to end; then it is killed with all that it has started",
     .more = "It is the program's own, apart from shutdown.grace. \"0\": killed at once.",
     .example = "\"2m\""},
    {.path = "programs.NAME.log",
     .field = field_of<&Program::log>(),
     .placeholder = "PATH",
     .check = check_program_log,
     .is_path = true,
     .apply = Apply::live,
     .summary = "where its standard output and error go",
     .more = "\"-\": into serval's log, line by line, if log.capture is on. A path: into this file, byte for byte as "
             "the program writes; where log.format is json, as JSON lines with time, program, instance and stream. "
             "{instance} in it is the instance's number. serval reopen and USR1 reopen it; it belongs to serval's "
             "user. A change replaces the instances.",
     .example = "\"log/mailer-{instance}.log\""},
};

}  // namespace

std::span<const Option> program_options() { return kProgramOptions; }

const Option* find_program_option(std::string_view key) {
  const auto found = std::find_if(std::begin(kProgramOptions), std::end(kProgramOptions),
                                  [key](const Option& option) { return key_of(option.path) == key; });
  return found == std::end(kProgramOptions) ? nullptr : found;
}

}  // namespace serval::config
