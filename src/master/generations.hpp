#pragma once

#include <optional>
#include <string>

#include "config/config.hpp"
#include "control/status.hpp"
#include "master/children.hpp"
#include "master/generation.hpp"
#include "master/handover.hpp"

namespace serval::master {

/// The generations that live, what the next mold goes by, and what to go back to while a reload is under way. One
/// thread.
class Generations {
 public:
  /// `living`: of an earlier version of serval in this process.
  explicit Generations(Generation newest, GenerationMap living = {})
      : living_(std::move(living)), newest_(std::move(newest)) {}

  /// What the next mold goes by.
  const Generation& newest() const { return newest_; }
  /// What the workers that serve go by: while a reload is under way, what was the newest before.
  const Generation& in_force() const { return before_ ? *before_ : newest_; }
  bool reloading() const { return before_.has_value(); }
  const GenerationMap& living() const { return living_; }
  bool lives(int number) const { return living_.contains(number); }
  const Generation& at(int number) const { return living_.at(number); }
  const config::Config& config_of(int number) const { return *at(number).config; }

  /// Empty: it does not live.
  control::CodeReading code_of(int number) const;

  /// Where the first one listens. Before anything is begun.
  void listen(Listeners listeners, ProgramListeners of_programs) {
    newest_.listeners = std::move(listeners);
    newest_.program_listeners = std::move(of_programs);
  }
  /// A mold of this generation is about to start: a number that is new is the newest's from here on.
  const Generation& begin(int number) { return living_.try_emplace(number, newest_).first->second; }
  /// A mold says which build it has loaded. The first one's word counts.
  void note_build(int number, const std::string& build);

  /// `next` is the newest; the one that was is in force until end_reload(). `serving`: the number of the generation
  /// that serves.
  void begin_reload(Generation next, int serving);
  /// If it was not good, the newest is what serves, as before. No reload: no harm.
  void end_reload(bool good);
  /// Forgets those without a process, but for the `current` one.
  void forget_unused(int current, const Children& children);

  /// All that are open, the newest's first; some more than once.
  Listeners listeners() const;
  /// Refuses new connections wherever the newest does not listen.
  void retire_listeners() const;
  /// Refuses them everywhere, since the server stops.
  void leave_listeners() const;
  /// The same with those of programs, once these have ended: until then they accept for themselves.
  void leave_program_listeners() const;
  /// Opens all log files anew. Why not all of them; empty: all.
  std::string reopen_logs() const;

  /// Fills in its logs, listeners and generations.
  void record(Handover& handover) const;

 private:
  GenerationMap living_;
  Generation newest_;
  std::optional<Generation> before_;  ///< while a reload is under way
};

}  // namespace serval::master
