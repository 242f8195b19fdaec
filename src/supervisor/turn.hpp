#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/time.hpp"
#include "supervisor/actions.hpp"
#include "supervisor/log_fold.hpp"
#include "supervisor/mold.hpp"
#include "supervisor/settings.hpp"
#include "supervisor/slots.hpp"

namespace serval::supervisor {

/// booting: no worker has been ready yet.
enum class Phase { booting, running, stopping, finished };

/// What each part of the supervisor may see and do during one event.
class Turn {
 public:
  Turn(TimePoint time, const Settings& rules, Slots& all_slots, Molds& all_molds, Phase current, bool leaves,
       LogFold& fold, std::vector<Action>& actions)
      : now(time),
        settings(rules),
        slots(all_slots),
        molds(all_molds),
        phase(current),
        leaving(leaves),
        fold_(fold),
        actions_(actions) {}

  const TimePoint now;
  const Settings& settings;
  Slots& slots;
  Molds& molds;
  const Phase phase;
  const bool leaving;  ///< a stop was asked for, and until shutdown.delay is over everything serves on

  /// Why no reload and no upgrade may begin; empty: they may.
  std::string why_not_running() const {
    if (phase == Phase::running && !leaving) return "";
    return phase == Phase::booting ? "the server is still booting" : "the server is stopping";
  }

  void act(Action action) const { actions_.push_back(std::move(action)); }
  void say(log::Level level, std::string sentence, std::vector<log::Field> fields = {}) const {
    if (auto line = fold_.pass({level, std::move(sentence), std::move(fields)}, now)) act(std::move(*line));
  }

 private:
  LogFold& fold_;
  std::vector<Action>& actions_;
};

}  // namespace serval::supervisor
