#include "worker/drain.hpp"

#include <unistd.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ipc/lobby.hpp"
#include "placement/entrance.hpp"
#include "worker/thread_stacks.hpp"

namespace serval::worker {
namespace {

using namespace std::chrono_literals;
using placement::test::EntranceTest;
using server::test::answer;
using server::test::Client;
using server::test::get;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A worker with one listener and a lobby, which has been told nothing yet. Its grace is longer than any test.
class DrainTest : public EntranceTest {
 protected:
  DrainTest() {
    heritage.listeners.push_back({.fd = ::dup(listener.get()), .address = "unix:test", .local = true});
    heritage.lobby_exit_fd = lobby.exit.get();
    migration.instead = &sender;
    intake.start();
  }
  ~DrainTest() override { end(); }

  /// One whose request the handler has.
  Client asking() {
    handler.keep();
    Client client = arrive();
    client.send(get("/"));
    run_until_pending();
    return client;
  }
  void finish_request() {
    server::Exchange& exchange = handler.last();
    answer(exchange, "done");
    exchange.done();
  }
  void run_until_left() {
    run_until([&] {
      drain.check();  // the worker does so whenever a connection is over
      return left > 0;
    });
  }
  /// Another worker takes one out of the lobby.
  bool sibling_takes_one() {
    ipc::Arrival arrival;
    return ipc::receive_guest(lobby.exit.get(), arrival) == ipc::Arrived::arrived;
  }

  ipc::Lobby lobby = std::move(*ipc::make_lobby());
  ipc::Heritage heritage;
  OwnFds own_fds{[](const std::string&) {}};
  Intake intake{entrance, heritage, own_fds};
  ThreadStacks stacks{io};
  OverdueHandlers overdue{io, TimeoutReports(stacks, [](const ipc::FromWorker&) { return true; }), [] {}};
  placement::LoadShedding shedding{board(), fleet, [] { return 0; }};
  placement::LobbySender sender{io,           lobby.entry.get(),
                                farewell,     shedding,
                                side_changes, {.on_empty = [this] { drain.on_none_waits(); }, .on_give_up = [] {}}};
  std::vector<std::uint32_t> told;  ///< the tags of what the master has heard
  int left = 0;
  Drain drain{{.io = io,
               .hub = hub(),
               .intake = intake,
               .lobby = sender,
               .pool = pool,
               .overdue = overdue,
               .grace = 1h,
               .tell_master = [this](const ipc::FromWorker& message) { told.push_back(ipc::encode(message).tag); },
               .flush = [] {},
               .leave = [this] { ++left; }}};
};

TEST_F(DrainTest, AnIdleWorkerLeavesAtOnceAndSaysSo) {
  drain.begin(false);
  run_until_left();
  EXPECT_THAT(told, ElementsAre(ipc::NoLongerAccepting::kTag));
  EXPECT_TRUE(farewell.draining);
  EXPECT_TRUE(farewell.goodbye);
  EXPECT_FALSE(intake.still_accepting());
  drain.check();
  EXPECT_EQ(left, 1) << "once";
}

TEST_F(DrainTest, ARequestInHandIsAnsweredFirstAndItsAnswerIsTheLast) {
  Client client = asking();
  drain.begin(false);
  run_dry();
  drain.check();
  EXPECT_EQ(left, 0);
  finish_request();
  EXPECT_THAT(until_ended(client), HasSubstr("Connection: close"));
  client.leaves();
  run_until_left();
}

TEST_F(DrainTest, WhatWaitsInTheQueueIsAnsweredToo) {
  intake.hold();
  Client client = arrive();
  client.send(get("/"));
  run_dry();
  intake.release();
  drain.begin(false);
  EXPECT_THAT(until_ended(client), EndsWith("ok"));
  EXPECT_EQ(left, 0);
  client.leaves();
  run_until_left();
}

TEST_F(DrainTest, WhereOthersTakeOverNobodyIsToldGoodbye) {
  Client client = asking();
  drain.begin(true);
  run_dry();
  EXPECT_FALSE(farewell.goodbye);
  finish_request();
  EXPECT_THAT(until(client, "done"), Not(HasSubstr("Connection: close")));
}

TEST_F(DrainTest, AStopAfterAllSaysGoodbyeAfterTheFact) {
  Client client = asking();
  drain.begin(true);
  run_dry();
  drain.stop_after_all();
  EXPECT_TRUE(farewell.goodbye);
  finish_request();
  EXPECT_THAT(until_ended(client), HasSubstr("Connection: close"));
  client.leaves();
  run_until_left();
}

TEST_F(DrainTest, AStopAfterAStopIsNothingNew) {
  drain.begin(false);
  run_until_left();
  drain.stop_after_all();
  run_dry();
  EXPECT_FALSE(intake.still_accepting());
  EXPECT_EQ(left, 1);
}

TEST_F(DrainTest, ItStaysUntilItsGuestsHaveBeenTaken) {
  Client client = arrive();
  client.send(get("/"));
  until(client, "ok");
  drain.begin(true);
  run_until([&] { return hub().connections().empty() && !intake.still_accepting(); });
  drain.check();
  run_dry();
  EXPECT_EQ(left, 0);
  ASSERT_TRUE(sibling_takes_one());
  run_until_left();
}

TEST_F(DrainTest, TheMasterHearsThatNobodyIsAnsweredAnyMoreBeforeTheLastRequestIsDone) {
  const Client client = asking();
  drain.begin(true);
  run_until([&] { return !told.empty(); });
  EXPECT_THAT(told, ElementsAre(ipc::NoLongerAccepting::kTag));
  EXPECT_EQ(left, 0);
}

TEST_F(DrainTest, UntilItDrainsNothingIsSaid) {
  drain.check();
  drain.on_none_waits();
  EXPECT_FALSE(drain.begun());
  EXPECT_THAT(told, IsEmpty());
  EXPECT_EQ(left, 0);
}

}  // namespace
}  // namespace serval::worker
