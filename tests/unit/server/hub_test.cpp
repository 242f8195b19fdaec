#include "server/hub.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine.hpp"

namespace serval::server::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class HubTest : public Engine {};

TEST_F(HubTest, SaysHowManyConnectionsAreOpen) {
  connect();
  Client& second = connect();
  run_dry();
  second.leaves();
  run_until([&] { return observer.connections_over == 1; });
  EXPECT_THAT(observer.open, ElementsAre(1, 2, 1));
  EXPECT_EQ(hub().connections().size(), 1u);
}

TEST_F(HubTest, AConnectionIsNotOverBeforeItsOwnFunctionsAreLeft) {
  handler.keep();
  connect().send(get("/"));
  run_until_pending();
  connection().close();
  EXPECT_TRUE(hub().connections().empty());
  EXPECT_EQ(observer.connections_over, 0);
  run_dry();
  EXPECT_EQ(observer.connections_over, 1);
}

TEST_F(HubTest, AGoodbyeClosesWhatHasBeenIdleForLong) {
  const TimePoint long_ago = Clock::now() - 10s;
  Client& idle = connect({.accepted = long_ago, .last_activity = long_ago, .requests = 1, .untouched = false}, {});
  Client& fresh = connect();
  run_dry();
  farewell.draining = farewell.goodbye = true;
  hub().say_farewell();
  run_dry();
  EXPECT_TRUE(idle.ended());
  EXPECT_EQ(hub().connections().size(), 1u);
  fresh.send(get("/"));
  EXPECT_NE(until_ended(fresh).find("Connection: close"), std::string::npos)
      << "one that was just active may have a request on its way";
}

TEST_F(HubTest, AFarewellToNobodyIsHarmless) {
  farewell.draining = true;
  hub().say_farewell();
  EXPECT_THAT(migration.farewells, IsEmpty());
}

TEST_F(HubTest, ManyConnectionsAreServedSideBySide) {
  std::vector<Client*> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(&connect());
  handler.keep();
  for (const Client* client : clients) client->send(get("/"));
  run_until_pending(100);
  while (!handler.pending.empty()) {
    Exchange& exchange = handler.last();
    answer(exchange, "done");
    exchange.done();
  }
  for (Client* client : clients) until(*client, "done");
  EXPECT_EQ(observer.over.size(), 100u);
}

TEST_F(HubTest, AnExchangeIsLentAgain) {
  ExchangePool pool(hub());
  std::unique_ptr<Exchange> exchange = pool.lend();
  const Exchange* const first = exchange.get();
  pool.take_back(std::move(exchange));
  EXPECT_EQ(pool.lend().get(), first);
}

}  // namespace
}  // namespace serval::server::test
