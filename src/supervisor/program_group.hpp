#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "supervisor/events.hpp"
#include "supervisor/program_state.hpp"
#include "supervisor/token_bucket.hpp"
#include "supervisor/turn.hpp"

namespace serval::supervisor {

struct ProgramInstance : ProgramInstanceRecord {
  ProgramInstance() = default;
  explicit ProgramInstance(ProgramInstanceRecord record) : ProgramInstanceRecord(std::move(record)) {}

  int looks_above_soft = 0;
  bool above_hard = false;  ///< at the last look

  bool runs() const { return state == ProgramState::starting || state == ProgramState::ready; }
  /// It has a process, or had one whose rest is still there.
  bool occupied() const { return state != ProgramState::waiting && state != ProgramState::ended; }
};

/// The instances of one program: slots as a worker's are, without mold and heart.
///
/// ```
/// waiting ─launch→ starting ─ready→ ready ─replaced, stopped→ stopping ─exit→ clearing → gone
///    ↑                │ timeout → killed     └ grace over → killed               │
///    └─ backoff over ─┴──────── exit ──────────────── clearing ──────────────────┴─→ waiting, or ended for good
/// ```
class ProgramGroup {
 public:
  ProgramGroup(std::string name, config::Program program);
  /// As an earlier version of serval in this process has left it.
  ProgramGroup(const ProgramGroupRecord& record, config::Program program);

  ProgramGroupRecord record() const;
  const std::string& name() const { return state_.name; }
  const config::Program& program() const { return program_; }
  bool on() const { return state_.on; }
  bool begun() const { return state_.begun; }
  bool removed() const { return state_.removed; }
  int wanted() const { return state_.wanted; }
  bool empty() const { return instances_.empty(); }
  bool occupied() const;
  /// Its instances have all ended for good, and nobody has told them to.
  bool ended() const;
  bool scheduled() const { return program_.scheduled(); }

  ProgramInstance* find(int id);
  ProgramInstance* find_pid(pid_t pid);
  const std::vector<ProgramInstance>& instances() const { return instances_; }

  // What is wanted of it.
  void begin() { state_.begun = true; }
  /// Its table has changed, or is there again.
  void use(const config::Program& program, const Turn& turn);
  /// A task is replaced by one of this generation's code, as soon as that is the one to start tasks from.
  void follow(int generation, const Turn& turn);
  void remove(const Turn& turn);
  void start(const std::string& by, const Turn& turn);
  void stop(const std::string& by, const Turn& turn);
  void replace_all(Cause cause, const std::string& by, const Turn& turn);
  /// What it runs is another program than before.
  void renew(const std::string& by, const Turn& turn);
  void scale(int to, const std::string& by, const Turn& turn);

  // What happens to one of them.
  void started(ProgramInstance& instance, pid_t pid, const Turn& turn);
  void not_started(ProgramInstance& instance, const std::string& why, const Turn& turn);
  void ready(ProgramInstance& instance, const Turn& turn);
  void exited(ProgramInstance& instance, const Exit& exit, const Turn& turn);
  void cleared(ProgramInstance& instance, const Turn& turn);
  void measured(ProgramInstance& instance, std::uint64_t bytes, const Turn& turn);

  /// After every event: what is due. `may_launch`: what it comes after is there.
  void settle(bool may_launch, TokenBucket& launches, int& next_id, const Turn& turn);
  /// The server stops: no run of its schedule begins any more.
  void end_schedule() { run_due_ = TimePoint::max(); }
  /// The server stops: all of them are told to end.
  void end(Cause cause, const Turn& turn);
  void kill_all(const Turn& turn);
  /// What is ready by its age, and what is overdue.
  void keep_deadlines(const Turn& turn);

  /// When something is due at the latest, if nothing else happens.
  TimePoint next(const TokenBucket& launches, TimePoint now) const;

 private:
  void begin_anew(const Turn& turn);
  void begin_anew(ProgramInstance& instance, const Turn& turn);
  void follow_table();
  void add_missing(int& next_id);
  void end_surplus(const Turn& turn);
  void replace_next(int& next_id, const Turn& turn);
  void launch_waiting(TokenBucket& launches, const Turn& turn);
  void leave(ProgramInstance& instance, Cause cause, const Turn& turn);
  void kill(ProgramInstance& instance, Cause cause, const Turn& turn);
  void make_due(ProgramInstance& instance, Cause cause) const;
  void give_up_launch(ProgramInstance& instance, const Turn& turn) const;
  void fail_to_start(const ProgramInstance& instance, const std::string& why, const Turn& turn);
  ProgramState decide_what_follows(ProgramInstance& instance, const Exit& exit, std::vector<log::Field>& line,
                                   const Turn& turn);
  void clear(ProgramInstance& instance, const Exit& exit, const Turn& turn);
  void conclude(ProgramInstance& instance, const Turn& turn);
  /// Of lines about a single instance, when all of them do the same.
  log::Level routine() const;
  std::vector<log::Field> fields(const ProgramInstance& instance) const;
  bool has_successor(const ProgramInstance& instance) const;
  void become_ready(ProgramInstance& instance, const Turn& turn) const;

  // Runs of a schedule (program_schedule.cpp).
  void use_with_schedule(const config::Program& program, const Turn& turn);
  void keep_schedule(int& next_id, const Turn& turn);
  void begin_run(int& next_id, const Turn& turn);
  void skip_run(const ProgramInstance& other, const Turn& turn);
  void run_began(ProgramInstance& instance, const Turn& turn);
  void end_overdue_run(ProgramInstance& instance, const Turn& turn);
  void run_ended(ProgramInstance& instance, const Exit& exit, const Turn& turn);
  ProgramState decide_what_follows_run(ProgramInstance& instance, RunResult result, std::string& next,
                                       const Turn& turn);
  void note_run(const ProgramInstance& instance, RunResult result, const Turn& turn);
  std::string next_run_in_words(const Turn& turn) const;

  ProgramGroupRecord state_;  ///< but for its instances
  config::Program program_;
  std::optional<Duration> ready_age_;  ///< at which an instance is ready; none: it has to say or show it
  std::vector<ProgramInstance> instances_;
  bool run_now_ = false;                  ///< somebody has asked for a run
  TimePoint run_due_ = TimePoint::max();  ///< the next one of its schedule, as of the last event
};

}  // namespace serval::supervisor
