#pragma once

#include <string>
#include <utility>
#include <vector>

#include "script.hpp"
#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// A world in which one part can be tried by itself.
class Stage {
 public:
  explicit Stage(Settings wanted) : world(std::move(wanted)) {}

  /// Calls `act` with a turn at that time; what it did, in words.
  template <class Act>
  std::vector<std::string> at(Clock::duration time, Act act) {
    act(Turn(TimePoint{} + time, world, fold_, actions_));
    std::vector<std::string> words;
    for (const Action& action : std::exchange(actions_, {})) words.push_back(text_of(action));
    return words;
  }
  /// A worker of the current generation serves in this slot since the beginning.
  Slot& serves(int index) {
    Slot& slot = world.slots[index];
    slot.start(world.current, index, TimePoint{}, TimePoint::max());
    slot.forked(pid_of(index));
    slot.ready(TimePoint{});
    return slot;
  }
  void all_serve() {
    for (Slot& slot : world.slots) serves(slot.index());
    world.phase = Phase::running;
    world.complete = true;
  }

  World world;

 private:
  LogFold fold_{100};
  std::vector<Action> actions_;
};

}  // namespace serval::supervisor
