#pragma once

#include <map>
#include <string>
#include <vector>

#include "supervisor/consequence.hpp"
#include "supervisor/events.hpp"
#include "supervisor/program_group.hpp"
#include "supervisor/state.hpp"
#include "supervisor/token_bucket.hpp"
#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// The programs beside the app, or without one: which start when, and what a reload means for each. They follow the
/// settings in force as soon as no rollout is under way, so that a reload that fails leaves them alone. What happens to
/// the instances of one is its ProgramGroup's matter.
class Programs {
 public:
  /// Goes on with those of an earlier version of serval in this process, if there was one.
  Programs(const Settings& settings, const ProgramsRecord& record);

  void on(const ProgramStarted& event, const Turn& turn);
  void on(const ProgramNotStarted& event, const Turn& turn);
  void on(const ProgramReady& event, const Turn& turn);
  void on(const ProgramCleared& event, const Turn& turn);
  void on(const LookedAtPrograms& event, const Turn& turn);
  void on(const ProgramOrdered& event, const Turn& turn);
  void on(const ProgramScaled& event, const Turn& turn);
  /// False: it is no program's.
  bool on_exit(pid_t pid, const Exit& exit, const Turn& turn);

  /// After every event: what it, or the time that has passed, has made possible or due.
  Consequence settle(const Turn& turn);
  TimePoint next(TimePoint now) const;

  /// No process of theirs is left.
  bool all_gone() const;
  /// Why no successor may take over now; empty: it may.
  std::string why_not_calm() const;
  /// How many instances are ready, and how many are wanted; runs of schedules are neither.
  struct Count {
    int ready = 0;
    int wanted = 0;
    int running = 0;    ///< whatever state its process is in
    int scheduled = 0;  ///< programs that are run by a schedule
  };
  Count count() const;
  ProgramsRecord record() const;

 private:
  ProgramGroup* group_of(int id, ProgramInstance*& instance);
  ProgramGroup* find(const std::string& name);
  void reconcile(const Turn& turn);
  void run(const Turn& turn);
  void stop(const Turn& turn);
  bool may_launch(ProgramGroup& group, const Turn& turn);
  bool is_waited_for(const ProgramGroup& group) const;
  void note_completion(const Turn& turn);
  Consequence look_for_the_end(const Turn& turn) const;
  void look_at_memory(const Turn& turn);

  std::map<std::string, ProgramGroup> groups_;
  int next_id_ = 1;
  TokenBucket launches_;
  bool looking_ = false;  ///< at their memory
  TimePoint next_look_{};
};

}  // namespace serval::supervisor
