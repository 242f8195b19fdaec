#include "worker/app_handler.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../server/engine.hpp"
#include "app/app.hpp"
#include "worker/thread_stacks.hpp"
#include "worker/timeout_reports.hpp"

namespace serval::worker {
namespace {

using namespace std::chrono_literals;
using server::test::Client;
using server::test::get;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Over = server::test::Recorder::Over;

std::unique_ptr<app::App> probe() {
  std::unique_ptr<app::App> app = std::move(*app::App::load(FIXTURE_PROBE));
  EXPECT_TRUE(app->preload({}, 1, "shop"));
  EXPECT_TRUE(app->worker_start({.slot = 0, .generation = 1, .threads = 2, .server_name = "shop"}));
  return app;
}

/// The engine with a real app. The pool's threads are never started: with permits the test's thread runs handlers at
/// once, without they wait until a test plays the thread.
class AppHandlerTest : public server::test::Engine {
 protected:
  ~AppHandlerTest() override {
    // What waits belongs to the pool, until it is done.
    while (pool && pool->waiting() > 0) run_next().done();
    end();
  }
  /// Before the first client. `permits`: handlers that may run at a time.
  void serve(int permits, int queue = 16) {
    pool = std::make_unique<HandlerPool>(io, permits, queue, HandlerPool::Hooks{});
    app_handler = std::make_unique<AppHandler>(
        AppHandler::Parts{.config = config,
                          .context = {.app = *app, .board = board, .timeout = config.request.timeout},
                          .pool = *pool,
                          .gate = gate,
                          .overdue = overdue,
                          .on_change = [this] { ++changes; }});
    serves = app_handler.get();
  }
  Client& ask(std::string_view target) {
    Client& client = connect();
    client.send(get(target));
    run_dry();
    return client;
  }
  /// Runs the handler that has waited for the longest; done() is still to be called.
  Task& run_next() {
    Task& task = *pool->withdraw_first();
    task.run(true);
    return task;
  }

  config::Config config;
  std::unique_ptr<app::App> app = probe();
  scoreboard::Memory memory = std::move(*scoreboard::Memory::create({.slots = 1, .rows = 3}));
  scoreboard::WorkerBoard board{memory, 0};
  PauseGate gate{io, {.nothing_in_progress = [] { return true; }, .has_room = [] { return true; }, .on_held = [] {}}};
  ThreadStacks stacks{io};
  std::vector<ipc::FromWorker> told;
  OverdueHandlers overdue{io,
                          TimeoutReports(stacks,
                                         [this](const ipc::FromWorker& message) {
                                           told.push_back(message);
                                           return true;
                                         }),
                          [this] { ++stuck_told; }};
  int stuck_told = 0;
  int changes = 0;
  std::unique_ptr<HandlerPool> pool;
  std::unique_ptr<AppHandler> app_handler;
};

TEST_F(AppHandlerTest, TheAppAnswers) {
  serve(2);
  Client& client = ask("/told");
  EXPECT_THAT(client.received(), EndsWith("\r\n\r\nshop 1 | shop 0 1 2"));
}

TEST_F(AppHandlerTest, AnAppThatThrowsIsA500OfWhichTheClientLearnsNothing) {
  serve(2);
  Client& client = ask("/throw");
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 500 "));
  EXPECT_EQ(client.received().find("cheese"), std::string::npos);
  EXPECT_EQ(observer.over.at(0).outcome, http::Outcome::app_failed);
}

TEST_F(AppHandlerTest, ARequestWaitsForAThreadAndIsAnsweredThen) {
  serve(0);
  Client& client = ask("/told");
  EXPECT_EQ(pool->waiting(), 1);
  EXPECT_EQ(changes, 1);
  run_next().done();
  EXPECT_THAT(until(client, "2"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(changes, 2);
}

TEST_F(AppHandlerTest, AFullQueueRefuses) {
  serve(0, 1);
  ask("/waits");
  Client& client = ask("/refused");
  EXPECT_THAT(until_ended(client), HasSubstr("503 Service Unavailable: all threads are busy and the queue is full"));
  EXPECT_EQ(observer.over.at(0).outcome, http::Outcome::overload);
}

TEST_F(AppHandlerTest, WhatWaitsForTooLongIsRefused) {
  config.workers.queue_timeout = 20ms;
  serve(0);
  Client& client = ask("/waits");
  EXPECT_THAT(until_ended(client), HasSubstr("503 Service Unavailable: no thread became free in time"));
  EXPECT_EQ(pool->waiting(), 0);
}

TEST_F(AppHandlerTest, AHandlerThatIsTooSlowIsGivenUpAndTheMasterHearsOfIt) {
  config.request.timeout = 20ms;
  serve(0);
  Client& client = ask("/told");
  Task& task = run_next();  // and does not return
  EXPECT_THAT(until_ended(client), StartsWith("HTTP/1.1 504 "));
  EXPECT_THAT(observer.over, ElementsAre(Over{"/told", 504, http::Outcome::timeout, "the app did not answer in time",
                                              observer.over.at(0).bytes_out}));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<ipc::TimedOut>(told[0]));
  EXPECT_EQ(overdue.told(), 1);
  EXPECT_EQ(overdue.stuck(), 0);
  task.done();
  EXPECT_EQ(overdue.told(), 0) << "it has returned within its second";
  run_dry();
  EXPECT_EQ(stuck_told, 0);
}

TEST_F(AppHandlerTest, WithAllThreadsStuckRequestsAreRefused) {
  config.request.timeout = 20ms;
  config.workers.queue_timeout = 10s;
  config.workers.threads = 1;
  serve(0);
  Client& first = ask("/told");
  Task& task = run_next();
  until_ended(first);
  EXPECT_FALSE(app_handler->all_stuck());
  run_until([&] { return stuck_told > 0; });
  EXPECT_TRUE(app_handler->all_stuck());
  EXPECT_EQ(told.size(), 2u) << "and the master hears of it again";
  Client& next = ask("/next");
  EXPECT_THAT(until_ended(next), HasSubstr("503 Service Unavailable: all threads of this worker are stuck"));
  task.done();
  EXPECT_FALSE(app_handler->all_stuck());
}

TEST_F(AppHandlerTest, APauseHoldsRequestsAndTheirTimeDoesNotCount) {
  config.request.timeout = 20ms;
  serve(2);
  gate.hold([] {});
  Client& client = ask("/told");
  const TimePoint begin = Clock::now();
  run_until([&] { return Clock::now() > begin + 150ms; });
  EXPECT_EQ(gate.held(), 1);
  EXPECT_EQ(client.received(), "");
  gate.admit();
  EXPECT_THAT(until(client, "2"), StartsWith("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace serval::worker
