#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "base/log.hpp"
#include "supervisor/mold.hpp"
#include "supervisor/settings.hpp"
#include "supervisor/slots.hpp"
#include "supervisor/token_bucket.hpp"
#include "supervisor/trial.hpp"

namespace serval::supervisor {

/// booting: no worker has been ready yet.
enum class Phase { booting, running, stopping, finished };

/// A reload under way. Until its canaries have served as long as they have to no worker of the old generation is
/// touched. `canary`: the first worker boots and proves itself; `joining`: the further ones that a watch is to see;
/// `watching`: all of them.
struct RolloutInHand {
  enum class Step { loading, canary, joining, watching, rolling } step = Step::loading;
  int from = 0;
  int to = 0;
  std::vector<int> canaries{};   ///< slots, until it rolls
  std::optional<Trial> trial{};  ///< while it watches
  bool listeners_retired = false;
  int quarters_said = 0;  ///< of the workers that had been replaced when the log last said it
  TimePoint begun{};
  std::optional<Settings> settings{};  ///< from when it rolls
  /// To a generation whose mold is there: its code has served already and proves nothing, and somebody waits.
  bool back = false;
  std::string remark{};              ///< for whoever asked for it (ReloadEnded)
  std::optional<Settings> before{};  ///< since it rolls: what a roll-back goes back to
};

/// A generation whose mold stays, so that `serval rollback` can go back to it.
struct KeptGeneration {
  int generation = 0;
  TimePoint until{};
};

/// What all parts of the supervisor see and change: the processes there are, and what is wanted of them. What only one
/// part needs to know is that part's own.
struct World {
  explicit World(Settings wanted);

  Settings settings;
  Slots slots;
  Molds molds;
  int current = 1;  ///< the generation that workers come from
  int newest = 1;   ///< generation that was ever begun
  std::optional<RolloutInHand> rollout;
  std::optional<KeptGeneration> kept;
  Phase phase = Phase::booting;
  bool complete = false;  ///< all workers have been ready together once; without an app, all programs
  bool at_once = false;   ///< the stop: what still runs is cut
  WallTime wall{};        ///< at the event in hand
  TimePoint begun{};
  TimePoint leaves_at = TimePoint::max();  ///< a stop was asked for, and until then all serve on
  TokenBucket forks;                       ///< of molds and workers
  std::mt19937_64 random;

  bool leaving() const { return leaves_at != TimePoint::max(); }
  /// At random, both ends included.
  std::int64_t up_to(std::int64_t most);
  /// The level of lines about a single worker, when all of them do the same.
  log::Level routine() const;

  Mold& mold() { return molds.at(current); }
  const Mold& mold() const { return molds.at(current); }
  /// nullptr: there is none.
  Mold* find_mold(int generation);
  /// Workers come from it, or may have to.
  bool is_needed(const Mold& mold) const;

  /// What a generation goes by: the one that a rollout brings has its own already while it loads and boots.
  const Settings& settings_of(int generation) const;

  /// That have to be started, those that are promised to workers being replaced among them; negative: there are too
  /// many.
  int missing_workers() const;
  /// No worker that new code could harm: all that run have crashed over and over.
  bool crash_looping() const;

  /// Asked of each slot at each event, mostly while nothing is reloaded.
  bool is_canary(const Slot& slot) const { return rollout && is_among_canaries(slot); }
  bool is_of_rollout(const Slot& slot) const { return rollout && slot.generation() == rollout->to; }
  /// A worker of the new generation that has not proved itself yet.
  bool on_probation(const Slot& slot, TimePoint now) const;
  /// When the next one has proved itself; max(): there is none.
  TimePoint probation_over(TimePoint now) const;

 private:
  bool is_among_canaries(const Slot& slot) const;  ///< of the rollout in hand
};

}  // namespace serval::supervisor
