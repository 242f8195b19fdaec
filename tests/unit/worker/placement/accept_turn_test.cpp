#include "worker/placement/accept_turn.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "../../os/no_descriptors.hpp"
#include "base/log.hpp"
#include "base/sanitizers.hpp"
#include "entrance.hpp"
#include "scoreboard/reader.hpp"

namespace serval::worker::placement::test {
namespace {

class AcceptTurnTest : public EntranceTest {
 protected:
  AcceptTurnTest() { turn.start(); }

  std::size_t taken() { return hub().connections().size(); }
  void run_for(Clock::duration time) {
    const TimePoint end = Clock::now() + time;
    run_until([&] { return Clock::now() >= end; });
  }
  /// As the sibling that comes first does it.
  bool sibling_takes_one() const {
    return UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)).get() >= 0;
  }

  ListenerTurn turn{entrance, UniqueFd(::dup(listener.get())), "unix:test", true};
};

TEST_F(AcceptTurnTest, TheFirstWorkerTakesWhatComes) {
  Client client = arrive();
  client.send(get("/"));
  until(client, "ok");
  EXPECT_EQ(scoreboard::accepted(memory, 1), 1u);
  EXPECT_EQ(scoreboard::read_slot(memory, 1).connections, 1);
}

TEST_F(AcceptTurnTest, ManyAreTakenOneAfterAnother) {
  std::vector<Client> clients;
  for (int i = 0; i < 30; ++i) clients.push_back(arrive());
  run_until([&] { return taken() == 30; });
}

TEST_F(AcceptTurnTest, ASiblingAtEaseHasTheTimeOfThreeLooks) {
  serves_at_ease(0);
  const Client client = arrive();
  const TimePoint begin = Clock::now();
  run_until([&] { return taken() == 1; });
  EXPECT_GE(Clock::now() - begin, 3 * kBetweenLooks);
}

TEST_F(AcceptTurnTest, WhatTheSiblingTakesIsNotMissed) {
  serves_at_ease(0);
  const Client client = arrive();
  run_dry();
  ASSERT_TRUE(sibling_takes_one());
  run_for(10 * kBetweenLooks);
  EXPECT_EQ(taken(), 0u);
  const Client next = arrive();
  run_until([&] { return taken() == 1; });
}

TEST_F(AcceptTurnTest, ASiblingThatIsSeenTakingIsLeftAlone) {
  serves_at_ease(0);
  const Client client = arrive();
  const TimePoint end = Clock::now() + 20 * kBetweenLooks;
  run_until([&] {
    boards[0].count_connection();
    return Clock::now() >= end || taken() > 0;
  });
  EXPECT_EQ(taken(), 0u);
}

TEST_F(AcceptTurnTest, AWorkerWhoseThreadsAreBusyLeavesThemToOthersForAMoment) {
  serves_at_ease(2);
  saturate();
  const Client client = arrive();
  const TimePoint begin = Clock::now();
  run_until([&] { return taken() == 1; });
  EXPECT_GE(Clock::now() - begin, 3 * kBetweenLooks);
  relax();
}

TEST_F(AcceptTurnTest, ForAShorterOneWhereTheOthersAreBusyToo) {
  saturate();
  const Client client = arrive();
  const TimePoint begin = Clock::now();
  run_until([&] { return taken() == 1; });
  EXPECT_GE(Clock::now() - begin, kBetweenLooks);
  relax();
}

TEST_F(AcceptTurnTest, AStuckWorkerTakesNothingUntilAThreadIsBack) {
  stuck = true;
  const Client client = arrive();
  run_for(100ms);
  EXPECT_EQ(taken(), 0u);
  stuck = false;
  run_until([&] { return taken() == 1; });
}

// ---- Pause

TEST_F(AcceptTurnTest, WhatComesDuringAPauseWaitsForItsEnd) {
  turn.hold();
  const Client client = arrive();
  run_for(20ms);
  EXPECT_EQ(taken(), 0u);
  turn.release();
  run_until([&] { return taken() == 1; });
}

TEST_F(AcceptTurnTest, APauseThatNobodyCameInIsForgotten) {
  turn.hold();
  turn.release();
  const Client client = arrive();
  run_until([&] { return taken() == 1; });
}

// ---- Drain

TEST_F(AcceptTurnTest, ADrainTakesWhatWaitsAndThenCloses) {
  turn.hold();
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(arrive());
  run_dry();
  turn.release();
  int empty = 0;
  turn.drain([&] { ++empty; });
  run_until([&] { return empty > 0; });
  EXPECT_EQ(taken(), 20u);
  EXPECT_FALSE(turn.open());
  const Client late = arrive();
  run_for(20ms);
  EXPECT_EQ(taken(), 20u) << "what comes later is its successor's";
  EXPECT_EQ(empty, 1);
}

TEST_F(AcceptTurnTest, ADrainWithNobodyWaitingEndsSoon) {
  bool empty = false;
  turn.drain([&] { empty = true; });
  EXPECT_FALSE(empty) << "not while its caller is on the stack";
  run_until([&] { return empty; });
}

TEST_F(AcceptTurnTest, WhoDrainsDoesNotWaitForSiblingsAtEase) {
  serves_at_ease(0);
  const Client client = arrive();
  run_dry();  // the first look
  bool empty = false;
  turn.drain([&] { empty = true; });
  run_dry();
  EXPECT_EQ(taken(), 1u);
  EXPECT_TRUE(empty);
}

TEST_F(AcceptTurnTest, ADrainDuringAPauseLeavesTheQueueToOthersAtOnce) {
  turn.hold();
  const Client client = arrive();
  run_dry();
  bool empty = false;
  turn.drain([&] { empty = true; });
  EXPECT_TRUE(empty);
  EXPECT_FALSE(turn.open());
  EXPECT_EQ(taken(), 0u);
  EXPECT_TRUE(sibling_takes_one());
}

TEST_F(AcceptTurnTest, AStuckWorkerThatDrainsLeavesTheQueueToOthers) {
  stuck = true;
  const Client client = arrive();
  bool empty = false;
  turn.drain([&] { empty = true; });
  run_until([&] { return empty; });
  EXPECT_EQ(taken(), 0u);
  EXPECT_TRUE(sibling_takes_one());
}

TEST_F(AcceptTurnTest, AfterCloseNobodyIsTaken) {
  turn.close();
  const Client client = arrive();
  run_for(20ms);
  EXPECT_FALSE(turn.open());
  EXPECT_EQ(taken(), 0u);
}

// ---- Want of descriptors

TEST_F(AcceptTurnTest, WithoutDescriptorsTheClientWaitsUntilThereIsOne) {
  if (kAddressSanitizer) GTEST_SKIP() << "see os/no_descriptors.hpp";
  const Client client = arrive();
  {
    const os::test::NoDescriptors none;
    run_for(20ms);
    EXPECT_EQ(taken(), 0u);
  }
  run_until([&] { return taken() == 1; });
}

TEST_F(AcceptTurnTest, AnIdleConnectionMakesRoomForANewcomer) {
  if (kAddressSanitizer) GTEST_SKIP() << "see os/no_descriptors.hpp";
  Client idle = arrive();
  idle.send(get("/"));
  until(idle, "ok");
  const Client client = arrive();
  log::start({.level = log::Level::warning}, "test");
  const os::test::NoDescriptors none;
  run_until([&] { return connections_over == 1; });
  EXPECT_EQ(taken(), 1u);
  EXPECT_TRUE(idle.ended());
}

}  // namespace
}  // namespace serval::worker::placement::test
