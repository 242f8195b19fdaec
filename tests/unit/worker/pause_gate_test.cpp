#include "worker/pause_gate.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../server/engine.hpp"

namespace serval::worker {
namespace {

using server::Exchange;
using server::Handler;
using server::test::answer;
using server::test::Client;
using server::test::get;
using ::testing::ElementsAre;

/// A handler that asks the gate first, as AppHandler does.
class PauseGateTest : public server::test::Engine {
 protected:
  PauseGateTest() {
    handler.on_take = [this](Exchange& exchange) {
      if (gate.holds()) {
        gate.park(exchange);
        return Handler::Taken::pending;
      }
      admitted.emplace_back(exchange.request().target);
      return answer(exchange, "ok");
    };
  }
  ~PauseGateTest() override {
    room = 1000;
    gate.admit();
    run_dry();
    end();
  }
  Client& ask(std::string_view target) {
    Client& client = connect();
    client.send(get(target));
    run_dry();
    return client;
  }

  bool busy = false;
  int room = 1000;  ///< requests that the pool would take
  int told_quiet = 0;
  std::vector<int> told_held;
  std::vector<std::string> admitted;
  PauseGate gate{io,
                 {.nothing_in_progress = [this] { return !busy; },
                  .has_room = [this] { return static_cast<int>(admitted.size()) < room; },
                  .on_held = [this] { told_held.push_back(gate.held()); }}};
};

TEST_F(PauseGateTest, WhatIsHeldIsLetInInItsOrder) {
  gate.hold([] {});
  Client& first = ask("/1");
  ask("/2");
  ask("/3");
  EXPECT_EQ(gate.held(), 3);
  EXPECT_TRUE(admitted.empty());
  gate.admit();
  EXPECT_FALSE(gate.holds());
  run_dry();
  EXPECT_THAT(admitted, ElementsAre("/1", "/2", "/3"));
  EXPECT_THAT(told_held, ElementsAre(1, 2, 3, 2, 1, 0));
  until(first, "ok");
}

TEST_F(PauseGateTest, NoneIsLetInWithoutRoom) {
  gate.hold([] {});
  ask("/1");
  ask("/2");
  room = 1;
  gate.admit();
  run_dry();
  EXPECT_THAT(admitted, ElementsAre("/1"));
  room = 2;
  gate.on_change();
  run_dry();
  EXPECT_THAT(admitted, ElementsAre("/1", "/2"));
}

TEST_F(PauseGateTest, ASecondPauseStopsThoseThatAreOnTheirWayIn) {
  gate.hold([] {});
  ask("/1");
  gate.admit();
  gate.hold([] {});
  run_dry();
  EXPECT_TRUE(admitted.empty());
  EXPECT_EQ(gate.held(), 1);
}

TEST_F(PauseGateTest, QuietIsSaidAtOnceIfNothingIsInProgress) {
  gate.hold([this] { ++told_quiet; });
  EXPECT_EQ(told_quiet, 1);
}

TEST_F(PauseGateTest, QuietIsSaidOnceWhenTheLastOneIsDone) {
  busy = true;
  gate.hold([this] { ++told_quiet; });
  gate.on_change();
  EXPECT_EQ(told_quiet, 0);
  busy = false;
  gate.on_change();
  gate.on_change();
  EXPECT_EQ(told_quiet, 1);
}

TEST_F(PauseGateTest, AnEndOfThePauseTakesTheQuestionBack) {
  busy = true;
  gate.hold([this] { ++told_quiet; });
  gate.admit();
  busy = false;
  gate.on_change();
  EXPECT_EQ(told_quiet, 0);
}

}  // namespace
}  // namespace serval::worker
