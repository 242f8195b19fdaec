#include "cli/commands.hpp"

#include <algorithm>
#include <vector>

#include "base/text.hpp"
#include "cli/bodies.hpp"

namespace serval::cli {
namespace {

constexpr Subcommand kCommands[] = {
    {.name = "run",
     .arguments = "[APP.so]",
     .max_words = 1,
     .flags = kConfigFlags | Flag::watch,
     .summary = "serve an app, in the foreground",
     .more =
         "Loads and preloads the app once, forks workers from it and serves until it is told to stop. Without -c "
         "it uses serval.toml in the working directory if there is one. APP.so wins over app.library. With --watch it "
         "reloads by itself once the library or the configuration file has changed and 300ms have passed without "
         "another change, and replaces the instances of a program when a file that its command names has, as server.js "
         "in "
         "node server.js (what that imports and env files are not looked at); what does not load leaves the old one "
         "serving.",
     .run = run},
    {.name = "check",
     .arguments = "[APP.so]",
     .max_words = 1,
     .flags = kConfigFlags,
     .summary = "say all that is wrong with a configuration",
     .more = "Every problem at once, each with its place and a hint. If there is none, what the start would refuse "
             "is tried as far as it leaves no trace: log files, folders, users, addresses, all with the rights of "
             "whoever checks. Then the app is loaded and preloaded in a process of its own, which is thrown away. "
             "Nothing is bound and nothing served, so an address that another program has taken is not noticed.",
     .run = check},
    {.name = "config",
     .arguments = "",
     .flags = kConfigFlags | Flag::origin | Flag::show_secrets,
     .summary = "print the effective configuration",
     .more = "As a serval.toml. With --origin each value says where it came from: default, file, environment or "
             "flag. Values that may be secret are hidden unless --show-secrets is given.",
     .run = show_config},
    {.name = "status",
     .arguments = "",
     .flags = kServerFlags | Flag::json,
     .summary = "show what a running server is doing",
     .more = "One line about the server and one for each worker: its age, requests, connections, busy threads and "
             "memory, whether it is about to be replaced or to start again, and which requests it has in progress. "
             "Then how many workers have ended, and why. It answers while workers hang. The server is found by "
             "--socket, by --name, by SERVAL_CONTROL_SOCKET, or by its configuration; without any of them by its "
             "socket, if there is only one where sockets are by default.",
     .run = order},
    {.name = "list",
     .arguments = "",
     .flags = Flag::json,
     .summary = "show the servers of this machine that you may see",
     .more = "Each with its process id, user, state, configuration, addresses, and its programs. They are found where "
             "control sockets are by default, for all users, and among the processes: one whose socket is elsewhere is "
             "asked, too, if it is yours or you are root. One that does not answer within two seconds, or that you "
             "may not ask, is shown as far as its process tells. Exits 0 also if there is none.",
     .run = list},
    {.name = "top",
     .arguments = "",
     .flags = kServerFlags,
     .summary = "show live, in the terminal, what a running server is doing",
     .more = "What serval status shows, once a second, with rates and latencies since the look before. Keys sort the "
             "workers and select one, recycle it, show its stacks, and drain the server; ? lists them. It needs a "
             "terminal, of any size and with or without colours (NO_COLOR).",
     .run = top},
    {.name = "healthcheck",
     .arguments = "",
     .flags = kServerFlags | Flag::ready,
     .summary = "say whether a running server is well, by the exit code",
     .more = "For the HEALTHCHECK of a container and for exec probes: exits 0 or 1 and says why in one line. Without "
             "--ready: the server answers within 3s, and the I/O loop of at least one worker turns; one that still "
             "boots, preloads or stops is well, since it must not be killed for that. With --ready: every worker has "
             "been ready once, health.ready_workers of them serve now and have an app that says that it is ready, and "
             "the server is not stopping, paused or drained. The server is found as by status; no worker is asked, and "
             "nothing is measured. Over HTTP health.live and health.ready say the same.",
     .run = healthcheck},
    {.name = "logs",
     .arguments = "",
     .flags = Flag::follow | Flag::lines | Flag::worker | Flag::program | Flag::level | Flag::grep | kServerFlags,
     .summary = "print the end of a running server's log",
     .more =
         "Of the file that log.file names, with the rights of whoever asks; -n counts the lines that the other "
         "flags let through. With -f it stays with the path when the file is rotated or truncated, and when the "
         "server ends and starts again, but not when a reload names another file. A log that goes to standard "
         "error is read where that leads: journalctl, docker logs. --program NAME of a program with a file of its own "
         "shows that file, or those of its instances.",
     .run = logs},
    {.name = "stacks",
     .arguments = "[SLOT]",
     .max_words = 1,
     .word = "slot",
     .word_hint = "serval stacks 0, or serval stacks for all workers",
     .flags = kServerFlags | Flag::json,
     .summary = "show where the threads of the workers are",
     .more = "For each thread that runs the app: its stack, with function names and, from debug information, file "
             "and line, and the request that it serves. Threads are asked by a signal, which system calls of the app "
             "may notice as an EINTR. A worker whose I/O loop does not answer within 2s is shown as far as it can be "
             "seen from outside.",
     .run = order},
    {.name = "profile",
     .arguments = "[SLOT]",
     .max_words = 1,
     .word = "slot",
     .word_hint = "serval profile 0, or serval profile for all workers",
     .flags = kServerFlags | Flag::seconds | Flag::cpu | Flag::hz | Flag::all | Flag::output,
     .summary = "say where the app's time goes, by samples of its threads",
     .more = "Looks 100 times a second where each thread is that has a request in progress, or, with --cpu, after each "
             "10ms of CPU time that a thread of the pool has used. FILE is a flame graph if it ends in .svg or .html, "
             "folded stacks in .folded or .txt, and pprof's format in .pb, .pprof or .pb.gz; without -o the functions "
             "that were seen most often are printed. Nothing has to be restarted, and only the threads that run "
             "handlers are seen. Threads are asked by a signal: system calls in which a handler waits may notice it as "
             "an EINTR, many times a second without --cpu. What it has cost is said. A worker that ends leaves what it "
             "has; Ctrl-C ends the profile, and nothing is written. Exits 1 if there was nothing to see.",
     .run = profile},
    {.name = "reload",
     .arguments = "[PROGRAM]",
     .max_words = 1,
     .word = "program",
     .word_hint = "serval reload mailer, or serval reload for all that has changed",
     .flags = kServerFlags | Flag::timeout,
     .summary = "replace configuration and app without losing a request",
     .more = "Loads the app anew, boots one worker of it, and only then replaces the others one after the other, "
             "each ahead of the one that leaves. Returns when all of them serve. Whatever fails before leaves the "
             "old generation serving, and so does a new one whose workers die while it takes over; the command then "
             "exits 1 and says why. Else it says what is different since: the library's build, each option. Programs "
             "follow once that is done: those whose tables have changed, and no others. serval reload PROGRAM replaces "
             "the instances of that one, one after the other, and reads neither the configuration nor env files: those "
             "take a "
             "reload of all.",
     .run = order},
    {.name = "rollback",
     .arguments = "",
     .flags = kServerFlags | Flag::timeout,
     .summary = "go back to the generation before, at once",
     .more =
         "The one that served before the last reload serves again, with its code and configuration: its mold is "
         "there for as long as reload.keep says, so nothing is loaded. The newer one is kept likewise; a second "
         "rollback goes forward to it. While a reload is under way, as during reload.watch, it calls that off: the old "
         "generation goes on, and the reload exits 1. Exits 1 if no generation is kept. The files on disk stay as "
         "they are: the next reload loads what they say.",
     .run = order},
    {.name = "start",
     .arguments = "PROGRAM",
     .min_words = 1,
     .max_words = 1,
     .word = "program",
     .word_hint = "for example serval start mailer; serval run starts a server",
     .flags = kServerFlags | Flag::timeout,
     .summary = "start a program that was stopped, or has ended for good",
     .more =
         "Returns when its instances are ready. One that waits to be started again is started at once. If an "
         "instance does not become ready, the command exits 1 and says why; it is tried again all the same. One with a "
         "schedule is run now, once, and its schedule is on from here; the command returns when that run has begun.",
     .run = order},
    {.name = "stop",
     .arguments = "[PROGRAM]",
     .max_words = 1,
     .word = "program",
     .word_hint = "serval stop mailer, or serval stop for the server",
     .flags = kServerFlags | Flag::now,
     .summary = "stop the server, returning when it has ended",
     .more =
         "What is in flight is answered, for shutdown.grace at the longest; with --now it is cut, and so it is "
         "by a second serval stop that comes more than a second after the first one, as with signals. Either "
         "says how many requests it has cut. serval stop PROGRAM stops that one alone, within its own grace, and takes "
         "no "
         "--now (grace = \"0\" kills at once); of one with a schedule it ends the run that goes on, and switches the "
         "schedule off. It stays stopped, also over a reload and serval upgrade, until serval start, or until the "
         "server "
         "is started again.",
     .run = stop},
    {.name = "scale",
     .arguments = "N|+N|-N|PROGRAM=N",
     .min_words = 1,
     .max_words = 1,
     .word = "number of workers",
     .word_hint = "for example serval scale 8, or +1, or -1, or mailer=3",
     .flags = kServerFlags,
     .summary = "change the number of workers, or of a program's instances",
     .more = "Returns when so many serve. A reload keeps the number unless workers.count, or the program's count, has "
             "changed. mailer=+1 and mailer=-1 are understood as well.",
     .run = order},
    {.name = "recycle",
     .arguments = "SLOT|all|PROGRAM",
     .min_words = 1,
     .max_words = 1,
     .word = "slot",
     .word_hint = "serval recycle 0, or serval recycle all, or a program's name",
     .flags = kServerFlags,
     .summary = "replace workers by new ones of the same generation",
     .more = "Each successor serves before its worker leaves. Of a program the instances are replaced, one after the "
             "other, "
             "as its replace says.",
     .run = order},
    {.name = "reopen",
     .arguments = "",
     .flags = kServerFlags,
     .summary = "reopen the log files, returning when every process has",
     .more = "",
     .run = order},
    {.name = "drain",
     .arguments = "",
     .flags = kServerFlags,
     .summary = "report not ready, and serve on",
     .more = "health.ready, /readyz and serval healthcheck --ready fail from then on, and serval status and systemd's "
             "status line say why, too. A load balancer that asks one of these can send traffic elsewhere, and "
             "requests that still arrive are served. It stays so, also over a reload, until serval undrain.",
     .run = order},
    {.name = "undrain",
     .arguments = "",
     .flags = kServerFlags,
     .summary = "report ready again",
     .more = "Ends serval drain.",
     .run = order},
    {.name = "pause",
     .arguments = "",
     .flags = kServerFlags | Flag::timeout,
     .summary = "let no request begin, returning when none is in progress",
     .more = "New connections wait in the accept queue, as many as server.backlog allows; a request on a connection "
             "that is there already waits in its worker. No limit of theirs begins to count before serval resume. "
             "Whatever needs the app to hold still can be done meanwhile: a migration, a failover. Reloads and "
             "restarts of workers go on, and a stop answers what waits. If --timeout is over before all is finished, "
             "the pause stays.",
     .run = order},
    {.name = "resume",
     .arguments = "",
     .flags = kServerFlags,
     .summary = "let requests begin again",
     .more = "Ends serval pause; what has waited is answered.",
     .run = order},
    {.name = "upgrade",
     .arguments = "",
     .flags = kServerFlags,
     .summary = "replace serval itself by the version that is installed now, in place",
     .more = "The program by which the server was started is looked up again and asked whether it can take over; "
             "then the master becomes that program. Process id, workers, sockets and counters stay; workers of the "
             "new version come with the next reload. If it cannot take over, nothing changes and the command exits 1.",
     .run = order},
    {.name = "exec",
     .arguments = "COMMAND [ARGUMENT...]",
     .min_words = 1,
     .max_words = 10'000,
     .flags = Flag::program | Flag::server_config,
     .is_prefix = true,
     .is_app_output = true,
     .summary = "run a command as the app or a program would be run",
     .more =
         "With the environment, user and umask of the app's workers, in the folder of the configuration file; with "
         "--program as an instance of that program, in its working_directory, but without sockets and number. For "
         "migrations and consoles. No server has to run. Exits as the command does, with 128 and the signal's number "
         "if one has ended it, 127 if it cannot be started.",
     .run = exec},
    {.name = "task",
     .arguments = "NAME [ARGUMENT...]",
     .min_words = 1,
     .max_words = 10'000,
     .flags = Flag::server_config,
     .is_prefix = true,
     .is_app_output = true,
     .summary = "run a task of the app's library, once",
     .more = "Loads the app anew, in a process of its own that serves nothing, and calls the function that it has "
             "registered under NAME (serval/tasks.hpp), with the arguments. Environment, user, umask and folder are "
             "those of serval exec. For migrations before a deploy; no server has to run, and one that does is not "
             "touched. TERM, INT and HUP ask the task to stop, for as long as it takes; a second one ends it, as "
             "timeout -k "
             "sends it. Exits as the task does, with 128 "
             "and the signal's number if one has ended it, 127 if the app cannot be loaded or has no such task.",
     .run = task},
    {.name = "init",
     .arguments = "[FILE]",
     .max_words = 1,
     .flags = Flag::from_procfile | Flag::from_pm2 | Flag::env,
     .summary = "print the serval.toml that does what another supervisor's file says",
     .more =
         "Of a Procfile, with the .env file beside it, or of PM2's ecosystem file (.js, .cjs, .mjs, .json, or a "
         "package.json with pm2). What serval has for it becomes a key, and everything else a comment that says what "
         "is nearest. It is printed, and nothing is written: serval init --from-pm2 ecosystem.config.js > "
         "serval.toml. Values of its environment are in it as they are there. A file of JavaScript is evaluated by "
         "node, which runs its code.",
     .run = init},
    {.name = "version", .arguments = "", .summary = "print the version", .more = "", .run = version},
    {.name = "help",
     .arguments = "[COMMAND|signals]",
     .max_words = 1,
     .summary = "explain a command, or what each signal does",
     .more = "Without an argument: the list of commands.",
     .run = help},
    {.name = "mold",
     .arguments = "FD",
     .min_words = 1,
     .max_words = 1,
     .hidden = true,
     .is_app_output = true,
     .summary = "be the mold of a running master",
     .more = "Started by serval itself.",
     .run = mold},
    {.name = "once",
     .arguments = "FD TASK [ARGUMENT...]",
     .min_words = 2,
     .max_words = 10'001,
     .hidden = true,
     .is_prefix = true,
     .is_app_output = true,
     .summary = "load the app and run one of its tasks",
     .more = "Started by serval itself.",
     .run = once},
    {.name = "admin",
     .arguments = "FD",
     .min_words = 1,
     .max_words = 1,
     .hidden = true,
     .summary = "answer those who watch a running master",
     .more = "Started by serval itself.",
     .run = admin},
    {.name = "adopt",
     .arguments = "FD [check]",
     .min_words = 1,
     .max_words = 2,
     .hidden = true,
     .summary = "go on as a running server",
     .more = "Started by serval itself.",
     .run = adopt},
    {.name = "read",
     .arguments = "FD",
     .min_words = 1,
     .max_words = 1,
     .hidden = true,
     .summary = "read the configuration of a running master",
     .more = "Started by serval itself.",
     .run = read_config},
    {.name = "stack",
     .arguments = "FD",
     .min_words = 1,
     .max_words = 1,
     .hidden = true,
     .summary = "name the frames of stacks",
     .more = "Started by serval itself.",
     .run = stack},
    {.name = "draw",
     .arguments = "FD",
     .min_words = 1,
     .max_words = 1,
     .hidden = true,
     .summary = "name the frames of a profile and write it",
     .more = "Started by serval itself.",
     .run = draw},
    {.name = "guard",
     .arguments = "",
     .hidden = true,
     .summary = "end what programs have started when their master is killed",
     .more = "Started by serval itself.",
     .run = guard},
    {.name = "probe",
     .arguments = "ADDRESS [PATH]",
     .min_words = 1,
     .max_words = 2,
     .hidden = true,
     .summary = "try until a program can be connected to, or answers",
     .more = "Started by serval itself.",
     .run = probe},
    {.name = "document",
     .arguments = "sample | man TEMPLATE",
     .min_words = 1,
     .max_words = 2,
     .hidden = true,
     .summary = "print a document that is made from serval's tables",
     .more = "Used when serval is built.",
     .run = document},
};

constexpr std::string_view kLater[] = {"new"};

}  // namespace

std::span<const Subcommand> commands() { return kCommands; }

const Subcommand* find_command(std::string_view name) {
  const auto found = std::find_if(std::begin(kCommands), std::end(kCommands),
                                  [&](const Subcommand& command) { return command.name == name; });
  return found == std::end(kCommands) ? nullptr : found;
}

std::string nearest_command(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& command : kCommands) {
    if (!command.hidden) names.push_back(command.name);
  }
  return std::string(nearest(name, names).value_or(""));
}

std::span<const std::string_view> later_commands() { return kLater; }

}  // namespace serval::cli
