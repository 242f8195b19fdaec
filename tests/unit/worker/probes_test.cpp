#include "worker/probes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../server/engine.hpp"

namespace serval::worker {
namespace {

using server::test::Client;
using server::test::get;
using server::test::post;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ProbeAnswer, AWorkerThatAnswersIsAlive) {
  EXPECT_EQ(live_answer().status, 200);
  EXPECT_EQ(live_answer().body, R"({"status":"ok"})");
}

TEST(ProbeAnswer, OfAReadyServer) {
  Readiness server;
  server.serving = 4;
  server.declining = 1;
  EXPECT_EQ(ready_answer(server).status, 200);
  EXPECT_EQ(ready_answer(server).body, R"({"status":"ok","workers":{"serving":4,"ready":3}})");
}

TEST(ProbeAnswer, SaysEveryReason) {
  Readiness server{{.draining = true, .paused = true}};
  server.serving = 4;
  EXPECT_EQ(ready_answer(server).status, 503);
  EXPECT_EQ(ready_answer(server).body,
            R"~({"status":"unavailable","workers":{"serving":4,"ready":4},)~"
            R"~("reasons":["draining (serval drain)","paused (serval pause)"]})~");
}

/// The engine, whose handler comes after the probes.
class ProbesTest : public server::test::Engine {
 protected:
  ProbesTest() {
    health.live = "/health";
    health.ready = "/health/ready";
    state.serving = 1;
    serves = &probes;
  }
  ~ProbesTest() override { end(); }

  std::string ask(std::string_view request) {
    Client& client = connect();
    client.send(request);
    run_dry();
    return client.received();
  }

  config::Health health;
  Readiness state;
  Probes probes{health, [this] { return state; }, handler};
};

TEST_F(ProbesTest, AreAnsweredBeforeAnyHandler) {
  EXPECT_THAT(ask(get("/health")), EndsWith("\r\n\r\n{\"status\":\"ok\"}"));
  EXPECT_THAT(ask(get("/health/ready?a=b")), StartsWith("HTTP/1.1 200 "));
  state.draining = true;
  EXPECT_THAT(ask(get("/health/ready")), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(ask(get("/health")), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(handler.targets, ElementsAre());
}

TEST_F(ProbesTest, AProbeDoesNotCostItsConnection) {
  state.draining = true;
  Client& client = connect();
  client.send(get("/health/ready"));
  EXPECT_THAT(until(client, "]}"), StartsWith("HTTP/1.1 503 "));
  client.send(get("/next"));
  EXPECT_THAT(until(client, "ok"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ProbesTest, OtherPathsAndMethodsAreTheNextHandlers) {
  for (const std::string& request : {get("/healthy"), get("/health/"), get("/"), post("/health", "x")}) {
    EXPECT_THAT(ask(request), EndsWith("\r\n\r\nok"));
  }
  EXPECT_THAT(handler.targets, ElementsAre("/healthy", "/health/", "/", "/health"));
}

TEST_F(ProbesTest, AnEmptyPathIsNoPath) {
  health.live = "";
  EXPECT_THAT(ask(get("/health")), EndsWith("\r\n\r\nok"));
  EXPECT_THAT(ask("OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n"), EndsWith("\r\n\r\nok"));
}

TEST_F(ProbesTest, TheNextHandlerHearsOfItsOwnRequests) {
  handler.keep();
  Client& client = connect();
  client.send(get("/slow"));
  run_until_pending();
  client.leaves();
  handler.pending[0]->wait_until(Clock::now());
  run_until([this] { return handler.overdue.size() == 1; });
  server::test::answer(handler.last(), "late");
  handler.overdue[0]->done();
  run_until([this] { return handler.done == 1; });
}

}  // namespace
}  // namespace serval::worker
