#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/time.hpp"
#include "supervisor/actions.hpp"
#include "supervisor/log_fold.hpp"
#include "supervisor/world.hpp"

namespace serval::supervisor {

/// What each part of the supervisor may see and do during one event.
class Turn {
 public:
  Turn(TimePoint time, World& all, LogFold& fold, std::vector<Action>& actions)
      : now(time),
        world(all),
        settings(all.settings),
        slots(all.slots),
        molds(all.molds),
        fold_(fold),
        actions_(actions) {}

  const TimePoint now;
  World& world;
  const Settings& settings;
  Slots& slots;
  Molds& molds;

  Phase phase() const { return world.phase; }
  /// A stop was asked for, and until shutdown.delay is over everything serves on.
  bool leaving() const { return world.leaving(); }
  /// Why no reload and no upgrade may begin; empty: they may.
  std::string why_not_running() const {
    if (phase() == Phase::running && !leaving()) return "";
    return phase() == Phase::booting ? "the server is still booting" : "the server is stopping";
  }
  /// max() for a limit of 0.
  TimePoint after(Duration limit) const { return limit == Duration::zero() ? TimePoint::max() : now + limit; }

  void act(Action action) const { actions_.push_back(std::move(action)); }
  void say(log::Level level, std::string sentence, std::vector<log::Field> fields = {}) const {
    if (auto line = fold_.pass({level, std::move(sentence), std::move(fields)}, now)) act(std::move(*line));
  }
  /// Lines that are being held back.
  void say_what_is_folded() const {
    for (Log& line : fold_.rest()) act(std::move(line));
  }

 private:
  LogFold& fold_;
  std::vector<Action>& actions_;
};

}  // namespace serval::supervisor
