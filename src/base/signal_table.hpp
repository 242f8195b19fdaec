#pragma once

#include <csignal>
#include <string_view>

/// The signals to the master: what it does on each, and what a reader who comes from elsewhere would expect. One table:
/// the master acts by it, `serval help signals` and the man page print it.
namespace serval {

enum class SignalAction {
  stop,        ///< graceful stop; a second one stops at once
  reopen_logs,
  reload,
  one_worker_more,
  one_worker_fewer,
  upgrade,
};

struct SignalRow {
  int number;
  std::string_view name;     ///< without "SIG"
  SignalAction action;
  std::string_view meaning;  ///< what the master does
  std::string_view puma, unicorn, gunicorn, nginx;
};

inline constexpr SignalRow kSignalTable[] = {
    {SIGTERM, "TERM", SignalAction::stop, "graceful stop; a second one stops at once", "graceful stop", "quick stop",
     "graceful stop", "quick stop"},
    {SIGINT, "INT", SignalAction::stop, "graceful stop; a second one stops at once", "graceful stop", "quick stop",
     "quick stop", "quick stop"},
    {SIGQUIT, "QUIT", SignalAction::stop, "graceful stop; a second one stops at once", "ends at once", "graceful stop",
     "quick stop", "graceful stop"},
    {SIGUSR1, "USR1", SignalAction::reopen_logs, "reopen the logs, here and in every worker", "phased restart",
     "reopen logs", "reopen logs", "reopen logs"},
    {SIGHUP, "HUP", SignalAction::reload, "reload configuration and app, without losing a request",
     "reopen logs, or stop", "reload", "reload", "reload"},
    {SIGUSR2, "USR2", SignalAction::upgrade, "replace serval itself in place; workers go on", "restart in place",
     "start a new master", "start a new master", "start a new master"},
    {SIGTTIN, "TTIN", SignalAction::one_worker_more, "one worker more", "one worker more", "one worker more",
     "one worker more", "not handled"},
    {SIGTTOU, "TTOU", SignalAction::one_worker_fewer, "one worker fewer", "one worker fewer", "one worker fewer",
     "one worker fewer", "not handled"},
};

}  // namespace serval
