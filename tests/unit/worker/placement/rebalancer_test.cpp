#include "worker/placement/rebalancer.hpp"

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "app/app.hpp"
#include "fleet.hpp"
#include "ipc/lobby.hpp"
#include "worker/handler_call.hpp"

namespace serval::worker::placement::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A worker whose requests all wait for a thread: none is ever started.
class RebalancerTest : public Fleet {
 protected:
  RebalancerTest() {
    moves = &sender;
    handler.on_take = [this](server::Exchange& exchange) {
      if (!exchange.attachment) exchange.attachment = std::make_unique<HandlerCall>(context, exchange);
      HandlerCall& call = HandlerCall::of(exchange);
      call.begin();
      queue(call);
      return server::Handler::Taken::pending;
    };
  }
  ~RebalancerTest() override {
    while (Task* const task = pool.withdraw_first()) {
      handler.pending.push_back(&static_cast<HandlerCall&>(*task).exchange());
    }
    end();
  }

  /// One more that waits, behind all others.
  void queue(HandlerCall& call) {
    std::vector<Task*> before;
    while (Task* const task = pool.withdraw_first()) before.push_back(task);
    pool.put_back(call);
    for (auto task = before.rbegin(); task != before.rend(); ++task) pool.put_back(**task);
  }

  Client& ask(std::string_view target) {
    const int before = pool.waiting();
    Client& client = connect();
    client.send(get(target));
    run_until([&] { return pool.waiting() == before + 1; });
    return client;
  }
  std::vector<std::string> moved() {
    std::vector<std::string> targets;
    ipc::Arrival arrival;
    while (ipc::receive_guest(lobby.exit.get(), arrival) == ipc::Arrived::arrived) {
      targets.push_back(arrival.unread.substr(4, arrival.unread.find(' ', 4) - 4));
    }
    return targets;
  }
  void run_for(Clock::duration time) {
    const TimePoint end = Clock::now() + time;
    run_until([&] { return Clock::now() >= end; });
  }

  std::unique_ptr<app::App> app = std::move(*app::App::load(FIXTURE_PROBE));
  const HandlerCall::Context context{*app, board(), Duration(0)};
  HandlerPool pool{io, kThreads, 64, {}};
  ipc::Lobby lobby = std::move(*ipc::make_lobby());
  LoadShedding shedding{board(), fleet, [] { return 0; }};
  LobbySender sender{io, lobby.entry.get(), farewell, shedding, side_changes, {}};
  int told = 0;
  Rebalancer rebalancer{io, pool, fleet, sender, [this] { ++told; }};
};

TEST_F(RebalancerTest, ARequestThatHasWaitedMovesToAFreeThread) {
  serves_at_ease(0);
  ask("/moves");
  const TimePoint begin = Clock::now();
  rebalancer.watch();
  run_until([&] { return pool.waiting() == 0; });
  EXPECT_GE(Clock::now() - begin, kWorthWaiting);
  EXPECT_THAT(moved(), ElementsAre("/moves"));
  EXPECT_EQ(told, 1);
}

TEST_F(RebalancerTest, NoMoreMoveThanThreadsAreFreeAndThoseThatWaitForTheLongestGoFirst) {
  serves_at_ease(0);
  for (const char* target : {"/1", "/2", "/3"}) ask(target);
  rebalancer.watch();
  run_until([&] { return told > 0; });
  EXPECT_THAT(moved(), ElementsAre("/1", "/2"));
  EXPECT_EQ(pool.waiting(), 1);
}

TEST_F(RebalancerTest, WithoutAFreeThreadAnywhereAllStay) {
  ask("/stays");
  rebalancer.watch();
  run_for(10 * kWorthWaiting);
  EXPECT_THAT(moved(), IsEmpty());
  EXPECT_EQ(pool.waiting(), 1);
  EXPECT_EQ(told, 0);
}

TEST_F(RebalancerTest, LooksAgainUntilAThreadIsFree) {
  ask("/moves");
  rebalancer.watch();
  run_for(5 * kWorthWaiting);
  serves_at_ease(2);
  run_until([&] { return pool.waiting() == 0; });
  EXPECT_THAT(moved(), ElementsAre("/moves"));
}

TEST_F(RebalancerTest, IfAllThreadsHaveBeenBusyForLongItDoesNotWaitFirst) {
  serves_at_ease(0);
  for (int row = 0; row < kThreads; ++row) {
    board().row(row).begin({.method = "GET"}, Clock::now() - 1s, TimePoint::max());
  }
  ask("/moves");
  rebalancer.watch();
  run_dry();
  EXPECT_THAT(moved(), ElementsAre("/moves"));
}

TEST_F(RebalancerTest, ARequestThatCannotMoveKeepsItsPlace) {
  serves_at_ease(0);
  Client& large = connect();
  large.send(post("/stays", std::string(ipc::kMaxUnreadBytes, 'x')));
  run_until([&] { return pool.waiting() == 1; });
  ask("/moves");
  rebalancer.watch();
  run_until([&] { return told > 0; });
  EXPECT_THAT(moved(), ElementsAre("/moves"));
  Task* const first = pool.withdraw_first();
  EXPECT_EQ(static_cast<HandlerCall&>(*first).exchange().request().target, "/stays");
  pool.put_back(*first);
}

TEST_F(RebalancerTest, NothingIsWatchedWhereNothingWaits) {
  rebalancer.watch();
  EXPECT_EQ(io.poll(), 0u);
  run_for(3 * kWorthWaiting);
  EXPECT_EQ(told, 0);
}

}  // namespace
}  // namespace serval::worker::placement::test
