#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/cause_table.hpp"
#include "base/time.hpp"
#include "supervisor/program_state.hpp"

/// What a supervisor knows, as plain values: its successor goes on with it when serval replaces itself by another
/// version (Supervisor::state). Written by one version and read by another: a new member gets a default that an older
/// version's silence means. Not in here is what begins anew without harm: hearts (silence is counted from the start),
/// tokens, folded lines, looks at memory.
namespace serval::supervisor {

enum class SlotState { empty, starting, serving, draining, killing, cooling };
enum class MoldState { absent, loading, ready, leaving, cooling };

struct SlotRecord {
  SlotState state = SlotState::empty;
  int number = -1;  ///< -1: the place in State::slots
  int generation = 0;
  pid_t pid = 0;
  Cause cause = Cause::none;
  Cause first_cause = Cause::none;
  bool replacing = false;
  bool stuck = false;
  std::uint32_t paused = 0;
  std::string why{};
  int crashes_in_a_row = 0;
  TimePoint started{};
  TimePoint due_since = TimePoint::max();
  TimePoint ready_at = TimePoint::max();
  TimePoint deadline = TimePoint::max();
  TimePoint door_deadline = TimePoint::max();
  TimePoint expires = TimePoint::max();

  bool operator==(const SlotRecord&) const = default;
};

struct MoldRecord {
  int generation = 0;
  MoldState state = MoldState::absent;
  pid_t pid = 0;
  int crashes_in_a_row = 0;
  TimePoint begun{};  ///< the first of its generation was started
  TimePoint started{};
  TimePoint loaded_at = TimePoint::max();
  TimePoint deadline = TimePoint::max();
  std::vector<std::string> tasks{};  ///< that the library has registered; as the mold says

  bool operator==(const MoldRecord&) const = default;
};

struct TrafficRecord {
  bool drained = false;     ///< no new traffic is wanted here (serval drain)
  std::uint32_t pause = 0;  ///< in force; 0: none
  std::uint32_t pauses = 0;
  TimePoint paused_since{};
  TimePoint next_reminder = TimePoint::max();  ///< that the server is paused

  bool operator==(const TrafficRecord&) const = default;
};

/// How many reloads there were.
struct ReloadCounts {
  std::uint64_t good = 0;
  std::uint64_t failed = 0;  ///< also those that could not begin

  bool operator==(const ReloadCounts&) const = default;
};

/// The parts' records are its bases, so that their members travel as its own.
struct State : TrafficRecord, ProgramsRecord {
  int workers = 1;  ///< wanted
  int current = 1;
  int newest = 1;
  bool complete = false;
  int kept = 0;  ///< generation that serval rollback goes back to; 0: none
  TimePoint kept_until{};
  std::string reload_failure{};  ///< of the last one; empty: it went well
  ReloadCounts reloads{};
  int crashes_in_a_row = 0;
  TimePoint begun{};
  std::map<Cause, std::uint64_t> ended{};
  std::vector<MoldRecord> molds{};
  std::vector<SlotRecord> slots{};  ///< by seat

  bool operator==(const State&) const = default;
};

}  // namespace serval::supervisor
