#pragma once

namespace serval::exit_code {

// What serval's processes exit with; the numbers from 64 on are those of sysexits.h(3head). The man page's table is
// made from kTable.
inline constexpr int ok = 0;              ///< a requested stop
inline constexpr int app_failed = 1;      ///< the app did not load or boot, or a command or its output failed
inline constexpr int usage = 64;          ///< the command line is wrong
inline constexpr int unavailable = 69;    ///< no server to talk to
inline constexpr int internal = 70;       ///< our own fault
inline constexpr int cannot_create = 73;  ///< bind, control socket, pid file, log
inline constexpr int unfit = 74;          ///< a worker's: it has lost a descriptor that it cannot do or tell without
inline constexpr int gave_up = 75;        ///< restarting did not help
inline constexpr int config = 78;         ///< bad config

/// Of a process in whose place another program should run that cannot be started, as a shell has it; and so of `serval
/// exec` and `serval task`, which say what their commands do. In no table: it is not serval's own.
inline constexpr int cannot_start = 127;

struct Row {
  int code;
  const char* meaning;
};

inline constexpr Row kTable[] = {
    {ok, "stopped as requested"},
    {app_failed, "the app did not load or boot, a command was refused, or standard output cannot be written"},
    {usage, "the command line is wrong"},
    {unavailable, "no running server to talk to"},
    {internal, "a fault of serval itself"},
    {cannot_create, "an address, a control socket, a pid file or a log file cannot be created"},
    {unfit, "of a worker: the application has closed a descriptor of serval's, and it could not be said otherwise"},
    {gave_up, "gave up restarting"},
    {config, "the configuration is wrong"},
};

}  // namespace serval::exit_code
