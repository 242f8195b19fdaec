#pragma once

#include <deque>
#include <utility>

#include <gtest/gtest.h>

#include "../../server/engine.hpp"
#include "scoreboard/writer.hpp"
#include "worker/placement/fleet_view.hpp"
#include "worker/placement/side_changes.hpp"

namespace serval::worker::placement::test {

using namespace std::chrono_literals;
using server::test::answer;
using server::test::Client;
using server::test::get;
using server::test::post;

inline constexpr int kThreads = 2;
inline constexpr int kCpus = 4;

/// The engine of a worker in slot 1, whose siblings in slots 0 and 2 do not serve, until a test says so.
class Fleet : public server::test::Engine {
 protected:
  Fleet() {
    for (int slot = 0; slot < 3; ++slot) boards.emplace_back(memory, slot).begin(1, 100 + slot, Clock::now());
    boards[1].set_phase(scoreboard::WorkerPhase::serving);
  }
  void serves_at_ease(std::size_t slot) { boards[slot].set_phase(scoreboard::WorkerPhase::serving); }

  scoreboard::Memory memory = std::move(*scoreboard::Memory::create({.slots = 3, .rows = kThreads + 1}));
  std::deque<scoreboard::WorkerBoard> boards;
  scoreboard::WorkerBoard& board() { return boards[1]; }
  FleetView fleet{memory, 1, kThreads, kCpus};
  SideChanges side_changes{fleet, 1};
  /// All three workers are of generation 1.
  void compare(const Comparison& comparison) { scoreboard::set_server(memory, {.comparison = comparison}); }
};

}  // namespace serval::worker::placement::test
