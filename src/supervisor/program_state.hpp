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
  std::string why{};      ///< how the last run ended
  int failures = 0;       ///< in a row
  TimePoint started{};
  TimePoint ready_at = TimePoint::max();
  TimePoint deadline = TimePoint::max();  ///< waiting: not before; starting: ready by then; stopping: killed then
  TimePoint expires = TimePoint::max();

  bool operator==(const ProgramInstanceRecord&) const = default;
};

struct ProgramGroupRecord {
  std::string name{};
  int wanted = 1;                             ///< as configured, or scaled since
  bool on = true;                             ///< false since serval stop NAME
  bool begun = false;                         ///< what it comes after has been ready once
  bool removed = false;                       ///< it is not in the configuration any more
  std::string failure{};                      ///< why an instance did not become ready; empty: all did
  int failed_number = -1;                     ///< which one
  std::map<Cause, std::uint64_t> restarts{};  ///< instances that were started in the place of ended ones, by cause
  std::vector<ProgramInstanceRecord> instances{};

  bool operator==(const ProgramGroupRecord&) const = default;
};

struct ProgramsRecord {
  int next_program = 1;  ///< ProgramInstanceRecord::id
  std::vector<ProgramGroupRecord> programs{};

  bool operator==(const ProgramsRecord&) const = default;
};

}  // namespace serval::supervisor
