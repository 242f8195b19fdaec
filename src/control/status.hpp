#pragma once

#include <sys/types.h>

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "control/program_status.hpp"
#include "scoreboard/memory.hpp"
#include "supervisor/snapshot.hpp"

/// What `serval status` tells. All of it is there without asking a worker: it may hang.
namespace serval::control {

/// Bytes of a worker, as os/process_memory.hpp counts them.
struct MemoryReading {
  std::uint64_t resident = 0;
  std::optional<std::uint64_t> proportional{};  ///< not always told: it takes the kernel a while
  std::optional<std::uint64_t> unique{};
};

/// A listening socket of the app's.
struct ListenerReading {
  std::string address;
  std::optional<std::uint64_t> queue{};  ///< connections that wait there; none: the kernel does not tell
  std::optional<std::uint64_t> limit{};  ///< that may; one more is dropped
};

/// What the code of a generation is.
struct CodeReading {
  std::string library{};
  std::string build{};  ///< as its linker named it; may be empty
};

/// What a status is made of; all borrowed for the call.
struct StatusSources {
  std::string_view name;
  std::string_view version;
  pid_t pid = 0;          ///< the master's
  int threads = 0;        ///< in each worker
  int ready_workers = 1;  ///< that the server's readiness takes
  TimePoint begun;
  const supervisor::Snapshot& snapshot;
  const scoreboard::Memory& scoreboard;
  std::function<std::optional<MemoryReading>(pid_t worker)> memory;
  std::function<bool(pid_t worker)> stopped = [](pid_t) { return false; };
  std::function<CodeReading(int generation)> code = [](int) { return CodeReading(); };
  std::vector<ListenerReading> listeners{};
  std::vector<ProgramReading> programs{};
  std::string admin{};                               ///< where the admin endpoints are; empty: nowhere
  std::string config_file{};                         ///< absolute; empty: none
  std::string_view log_file{};                       ///< a path; empty: standard error
  const config::Programs* program_tables = nullptr;  ///< in force
  std::uint64_t log_lines_dropped = 0;               ///< by the master
};

/// The result of the command. Keys end in their unit; what is not known, or does not apply, is null; other times are
/// whole and not negative, but for a request's deadline, which may have passed.
///
/// ```
/// name version pid generation uptime_s state: booting|serving|stopping
/// live: truth value, lifeless: why it is not, as something that kills what does not live should see it
/// ready: truth value, unready: why it is not, for readiness probes
/// mold {state, pid}
/// workers_wanted, threads
/// workers [{slot, pid, generation, state, cause, age_s, requests, connections, running, waiting, threads,
/// memory_bytes, memory_measure, memory {rss pss uss},
///           crashes_in_a_row, restart_in_ms, beat_age_ms, ready: false if the app's ready() says no, or it is silent:
///           it has given no sign of life for 15 s, silent: likewise, stopped: by a signal or a debugger,
///           in_progress [{method, target, request_id, peer, thread, age_ms, deadline_in_ms}]}]     no empty slots
/// ended {cause: workers}
/// reloads {ok failed}
/// generations [{number, state, library, build, since_s, requests, errors, p50_ms, p95_ms}]     that have processes;
///         errors: answers of 500 and above, and requests lost; quantiles are numbers with a fraction, null: no request
/// programs [{name, wanted, on: false since serval stop NAME, up: all instances are ready or done, failure: why one did
///         not become ready, restarts {cause: instances},
///         schedule: null without one {when, next: as its clocks show it, next_at_s: seconds since 1970,
///           last: null {began, began_at_s, took_ms, result, how}, succeeded_at_s, runs {result: number}},
///         instances [{instance, pid, state, cause, age_s, failures, restart_in_ms, ended: how the last run did,
///         outdated: its table has changed since, stopped: by a signal or a debugger, memory_bytes, cpu_s,
///         status: what it says of itself, log_file: where its output goes; null: into the log}]}]
/// listeners [{address, queue, limit}]     connections that wait in the kernel, and how many may
/// admin: where its endpoints are
/// config_file: that it was read from; null: none
/// log_file: where its log is; null: standard error
/// totals {requests, answers {code: requests}, timeouts, ... as the scoreboard counts them,
///         durations and queue_waits {bounds_s, counts (one more than bounds), sum_ns}}
/// ```
boost::json::object make_status(const StatusSources& sources, TimePoint now);

/// That run in workers or wait there for a thread.
int requests_in_progress(const supervisor::Snapshot& snapshot, const scoreboard::Memory& scoreboard);

}  // namespace serval::control
