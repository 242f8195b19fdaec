#include "worker/app_readiness.hpp"

#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "scoreboard/reader.hpp"

namespace serval::worker {
namespace {

using namespace std::chrono_literals;

/// A real app, whose ready() says yes from worker_start to worker_stop. The pool's threads are never started: the test's
/// thread is the loop, and runs what is asked.
class AppReadinessTest : public ::testing::Test {
 protected:
  AppReadinessTest() {
    board.begin(1, 100, Clock::now());
    board.set_phase(scoreboard::WorkerPhase::serving);
    EXPECT_TRUE(app->preload({}, 1, "shop"));
    app_says(true);
    config.health.ready_interval = 1ms;
  }
  ~AppReadinessTest() override { std::remove(file.c_str()); }

  void app_says(bool yes) {
    if (!yes) return app->worker_stop();
    EXPECT_TRUE(app->worker_start({.slot = 0, .generation = 1, .threads = 2, .server_name = "shop"}));
  }
  AppReadiness& start(int permits = 1) {
    pool = std::make_unique<HandlerPool>(io, permits, 16, HandlerPool::Hooks{});
    readiness = std::make_unique<AppReadiness>(AppReadiness::Parts{.io = io,
                                                                   .app = *app,
                                                                   .pool = *pool,
                                                                   .board = board,
                                                                   .config = config,
                                                                   .may_ask = [this] { return may_ask; },
                                                                   .on_asked = [this] { ++asked; }});
    readiness->start();
    return *readiness;
  }
  template <class Condition>
  void run_until(Condition condition) {
    const TimePoint end = Clock::now() + 5s;
    while (!condition()) {
      ASSERT_LT(Clock::now(), end) << "it does not come";
      io.run_one_for(10ms);
    }
  }
  void run_some_intervals() {
    for (int i = 0; i < 5; ++i) io.run_one_for(100ms);
  }
  scoreboard::SlotReading shown() const { return scoreboard::read_slot(memory, 0); }

  boost::asio::io_context io;
  config::Config config;
  std::unique_ptr<app::App> app = std::move(*app::App::load(FIXTURE_PROBE));
  scoreboard::Memory memory = std::move(*scoreboard::Memory::create({.slots = 1, .rows = 3}));
  scoreboard::WorkerBoard board{memory, 0};
  std::unique_ptr<HandlerPool> pool;
  std::unique_ptr<AppReadiness> readiness;
  bool may_ask = true;
  int asked = 0;
  const std::string file = ::testing::TempDir() + "drain_file." + std::to_string(::getpid());
};

TEST_F(AppReadinessTest, TheAppIsAskedAgainAndAgain) {
  AppReadiness& asking = start();
  run_until([this] { return asked == 2; });
  EXPECT_FALSE(asking.declines());
  app_says(false);
  run_until([&] { return asking.declines(); });
  EXPECT_TRUE(shown().app_declines);
  app_says(true);
  run_until([&] { return !asking.declines(); });
  EXPECT_FALSE(shown().app_declines);
}

TEST_F(AppReadinessTest, BusyThreadsSayNothingAboutTheApp) {
  AppReadiness& asking = start(0);
  app_says(false);
  run_some_intervals();
  EXPECT_EQ(pool->waiting(), 0) << "it does not stand in the queue";
  EXPECT_FALSE(asking.declines());
}

TEST_F(AppReadinessTest, AnAppThatIsToBeLeftAloneIsNotAsked) {
  may_ask = false;
  start();
  run_some_intervals();
  EXPECT_EQ(asked, 0);
}

TEST_F(AppReadinessTest, WhereItIsOffTheAppIsNotAskedAndNothingIsDone) {
  config.health.ready_interval = 0ms;
  start();
  run_some_intervals();
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(io.poll(), 0u);
}

TEST_F(AppReadinessTest, AfterItsStopNothingIsAsked) {
  start().stop();
  run_some_intervals();
  EXPECT_EQ(asked, 0);
}

TEST_F(AppReadinessTest, ADrainFileIsSeenAtOnceAndByOthers) {
  config.health.drain_file = file;
  AppReadiness& asking = start();
  EXPECT_FALSE(asking.drain_file());
  std::ofstream(file).flush();
  EXPECT_TRUE(asking.drain_file());
  EXPECT_TRUE(shown().drain_file);
  std::remove(file.c_str());
  run_until([this] { return !shown().drain_file; });
}

TEST_F(AppReadinessTest, WhatTheAppHasScribbledThereDoesNotStay) {
  start();
  board.set_unready(true, true);
  run_until([this] { return !shown().app_declines && !shown().drain_file; });
}

TEST_F(AppReadinessTest, APathThatIsNoneHoldsNoDrainFile) {
  config.health.drain_file = "/dev/null/" + file;
  EXPECT_FALSE(start().drain_file());
}

}  // namespace
}  // namespace serval::worker
