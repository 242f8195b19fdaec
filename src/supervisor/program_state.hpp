#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/cause_table.hpp"
#include "base/time.hpp"

/// What the supervisor knows of programs, as plain values: as with the other records (supervisor/state.hpp) the
/// successor goes on with them when serval replaces itself.
namespace serval::supervisor {

enum class ProgramState {
  waiting,   ///< to be started, as soon as its turn and its time come
  starting,  ///< it runs, and is not ready yet
  ready,
  stopping,  ///< it has been told to end, or was killed
  clearing,  ///< it has ended, and what it has started and left behind is being ended
  ended,     ///< for good, until somebody starts it
};
std::string_view name_of(ProgramState state);

struct ProgramInstanceRecord {
  int id = 0;      ///< of no other instance, ever: what actions and events name
  int number = 0;  ///< SERVAL_INSTANCE; one that leaves has it together with its successor
  ProgramState state = ProgramState::waiting;
  ProgramState then = ProgramState::waiting;  ///< of one that clears, unless it leaves
  pid_t pid = 0;
  Cause cause = Cause::none;  ///< for which it goes or, while it is ready, is due to be replaced
  bool successor = false;     ///< the one that it replaces serves until it is ready
  bool leaving = false;       ///< it is not started again
  bool killed = false;
  bool good = false;      ///< of one that has ended for good: with success
  bool outdated = false;  ///< it runs by a table that has changed since
  bool run = false;       ///< of a schedule: it is to end, and is not started again but for a failure
  bool overdue = false;   ///< of a run: it took longer than max_lifetime
  std::string why{};      ///< how the last run ended
  int failures = 0;       ///< in a row
  TimePoint started{};
  TimePoint ready_at = TimePoint::max();
  TimePoint deadline = TimePoint::max();  ///< waiting: not before; starting: ready by then; stopping: killed then
  TimePoint expires = TimePoint::max();
  int generation = 0;  ///< of a task: of the mold that has forked it, or is to; 0: none yet

  bool operator==(const ProgramInstanceRecord&) const = default;
};

/// How a run of a schedule has ended, or why it has not begun.
enum class RunResult {
  success,
  failure,
  timeout,  ///< it ran for longer than max_lifetime
  stopped,  ///< it was told to, for a reason of ours
  skipped,  ///< another one went on
  missed,   ///< it could not start when it was due
};
std::string_view name_of(RunResult result);

/// Of a program with a schedule (supervisor/schedule).
struct ScheduleRecord {
  bool begun = false;
  TimePoint origin{};        ///< every: the n-th run is due at origin + n * every
  std::int64_t due = 0;      ///< every: how many have been due
  std::int64_t seen = 0;     ///< cron: up to here, in seconds since 1970, what was due has been seen to
  std::int64_t next = 0;     ///< cron: the first time after that; 0: there is none
  std::int64_t next_ms = 0;  ///< for status: the next run, in milliseconds since 1970; 0: none

  bool ran = false;  ///< there is a last run, whose these are
  RunResult result = RunResult::success;
  std::string how{};          ///< it ended
  std::int64_t began_ms = 0;  ///< since 1970
  std::int64_t took_ms = 0;
  std::int64_t succeeded_ms = 0;  ///< when the last one that went well ended, since 1970; 0: none has
  std::map<RunResult, std::uint64_t> runs{};

  bool operator==(const ScheduleRecord&) const = default;
};

struct ProgramGroupRecord {
  std::string name{};
  int wanted = 1;                             ///< as configured, or scaled since
  bool on = true;                             ///< false since serval stop NAME
  bool begun = false;                         ///< what it comes after has been ready once
  bool removed = false;                       ///< it is not in the configuration any more
  std::string task{};                         ///< "task:NAME"; empty: it is a program of its own
  int followed = 0;                           ///< of a task: the generation that its instances are to be of
  std::string failure{};                      ///< why an instance did not become ready; empty: all did
  int failed_number = -1;                     ///< which one
  std::map<Cause, std::uint64_t> restarts{};  ///< instances that were started in the place of ended ones, by cause
  std::vector<ProgramInstanceRecord> instances{};
  bool scheduled = false;  ///< instances are runs: there are some only while it is being run
  bool overlaps = false;   ///< there may be several at a time
  std::string rule{};      ///< its schedule, for people
  ScheduleRecord schedule{};

  bool operator==(const ProgramGroupRecord&) const = default;
};

struct ProgramsRecord {
  int next_program = 1;  ///< ProgramInstanceRecord::id
  std::vector<ProgramGroupRecord> programs{};

  bool operator==(const ProgramsRecord&) const = default;
};

}  // namespace serval::supervisor
