#include "control/status.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <utility>

#include "scoreboard/writer.hpp"

namespace serval::control {
namespace {

using namespace std::chrono_literals;
using supervisor::SlotState;

constexpr TimePoint kNow{1'000'000s};

struct StatusTest : testing::Test {
  StatusTest() {
    snapshot.generation = 3;
    snapshot.mold = supervisor::MoldState::ready;
    snapshot.mold_pid = 812;
    snapshot.wanted = 2;
  }

  void seat(int slot, pid_t pid, SlotState state, TimePoint deadline = TimePoint::max(), int crashes = 0) {
    snapshot.workers.push_back({.slot = slot,
                                .seat = slot,
                                .generation = 3,
                                .pid = pid,
                                .state = state,
                                .cause = Cause::none,
                                .started = kNow - 20s,
                                .deadline = deadline,
                                .crashes_in_a_row = crashes});
  }

  boost::json::object make() {
    return make_status({.name = "shop",
                        .version = "0.1.0",
                        .pid = 811,
                        .threads = 5,
                        .ready_workers = 1,
                        .begun = kNow - 90s,
                        .snapshot = snapshot,
                        .scoreboard = board,
                        .memory = [](pid_t) { return MemoryReading{.resident = 8192, .proportional = 4096}; },
                        .code =
                            [](int generation) {
                              const std::string name = std::to_string(generation);
                              return CodeReading{"/srv/" + name + ".so", generation == 3 ? "ab" + name : ""};
                            },
                        .listeners = {{"127.0.0.1:8000", 3, 128}, {"unix:/run/shop.sock"}},
                        .admin = "127.0.0.1:9464",
                        .config_file = "/etc/shop.toml",
                        .log_file = "/var/log/shop.log",
                        .log_lines_dropped = 7},
                       kNow);
  }

  boost::json::object worker(std::size_t index) { return make().at("workers").as_array().at(index).as_object(); }

  std::string lifeless() {
    const auto status = make();
    EXPECT_EQ(status.at("live").as_bool(), status.at("lifeless").is_null());
    return status.at("live").as_bool() ? "" : std::string(status.at("lifeless").as_string());
  }

  supervisor::Snapshot snapshot;
  scoreboard::Memory board = std::move(scoreboard::Memory::create({3, 4}).value());
};

const std::string kEmptyHistogram =
    R"({"bounds_s":[5E-4,1E-3,2.5E-3,5E-3,1E-2,2.5E-2,5E-2,1E-1,2.5E-1,5E-1,1E0,2.5E0,5E0,1E1,3E1],)"
    R"("counts":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"sum_ns":0})";

TEST_F(StatusTest, TellsOfTheServer) {
  seat(0, 0, SlotState::empty);
  snapshot.ended = {{Cause::crash, 3}, {Cause::max_requests, 1}};
  snapshot.reloads = {.good = 2, .failed = 1};
  snapshot.readiness.serving = 0;
  EXPECT_EQ(
      boost::json::serialize(make()),
      R"({"name":"shop","version":"0.1.0","pid":811,"generation":3,"state":"serving",)"
      R"("live":false,"lifeless":"no worker serves","ready":false,)"
      R"("unready":"no worker serves","uptime_s":90,"mold":{"state":"ready","pid":812},)"
      R"("workers_wanted":2,"threads":5,"workers":[],"ended":{"crash":3,"max_requests":1},)"
      R"("reloads":{"ok":2,"failed":1},"generations":[],"programs":[],"listeners":[{"address":"127.0.0.1:8000","queue":3,"limit":128},)"
      R"({"address":"unix:/run/shop.sock","queue":null,"limit":null}],"admin":"127.0.0.1:9464",)"
      R"("config_file":"/etc/shop.toml","log_file":"/var/log/shop.log",)"
      R"("totals":{"requests":0,"answers":{},)"
      R"("timeouts":0,"overloads":0,"clients_gone":0,"connections":0,"bytes_in":0,"bytes_out":0,"log_lines_dropped":7,"spans_dropped":0,"durations":)" +
          kEmptyHistogram + R"(,"queue_waits":)" + kEmptyHistogram + "}}");
  snapshot.booting = true;
  EXPECT_EQ(make().at("state").as_string(), "booting");
  snapshot.stopping = true;
  EXPECT_EQ(make().at("state").as_string(), "stopping");
}

TEST_F(StatusTest, TellsWhatEachGenerationHasAnswered) {
  snapshot.generations = {{2, supervisor::GenerationState::retiring, kNow - 40s},
                          {3, supervisor::GenerationState::serving, kNow - 20s}};
  scoreboard::WorkerBoard writer(board, 1);
  writer.begin(3, 4711, kNow - 20s);
  writer.count({.status = 200, .duration = 4ms});
  writer.count({.status = 500, .duration = 4ms});
  EXPECT_EQ(boost::json::serialize(make().at("generations")),
            R"([{"number":2,"state":"retiring","library":"/srv/2.so","build":null,"since_s":40,"requests":0,)"
            R"("errors":0,"p50_ms":null,"p95_ms":null},)"
            R"({"number":3,"state":"serving","library":"/srv/3.so","build":"ab3","since_s":20,"requests":2,)"
            R"("errors":1,"p50_ms":3.8E0,"p95_ms":4.9E0}])");
}

TEST_F(StatusTest, TellsWhatAWorkerIsDoing) {
  seat(1, 4711, SlotState::serving);
  scoreboard::WorkerBoard writer(board, 1);
  writer.begin(3, 4711, kNow - 20s);
  writer.beat(kNow - 250ms, 4711);
  writer.set_connections(7);
  writer.count({.status = 200});
  writer.row(0).begin({.method = "GET", .target = "/a\xff", .request_id = "id", .peer = "10.0.0.7"}, kNow - 1200ms,
                      kNow + 3s);
  writer.row(1).begin({.method = "PUT", .target = "/b", .request_id = "", .peer = ""}, kNow - 5s, TimePoint::max());
  writer.row(2).begin({.method = "GET", .target = "/c", .request_id = "", .peer = ""}, kNow - 5s, kNow - 1s);
  const auto shown = worker(0);
  EXPECT_EQ(shown.at("slot"), 1);
  EXPECT_EQ(shown.at("pid"), 4711);
  EXPECT_EQ(shown.at("state"), "serving");
  EXPECT_TRUE(shown.at("cause").is_null());
  EXPECT_EQ(shown.at("age_s"), 20);
  EXPECT_EQ(shown.at("requests").to_number<int>(), 1);
  EXPECT_EQ(shown.at("connections"), 7);
  EXPECT_EQ(shown.at("running"), 3);
  EXPECT_EQ(shown.at("memory_bytes").to_number<int>(), 4096);
  EXPECT_EQ(shown.at("memory_measure"), "pss");
  EXPECT_TRUE(shown.at("restart_in_ms").is_null());
  EXPECT_EQ(shown.at("beat_age_ms"), 250);
  const auto& requests = shown.at("in_progress").as_array();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].at("method"), "GET");
  EXPECT_EQ(requests[0].at("target"), "/a\xef\xbf\xbd");
  EXPECT_EQ(requests[0].at("request_id"), "id");
  EXPECT_EQ(requests[0].at("peer"), "10.0.0.7");
  EXPECT_EQ(requests[0].at("age_ms"), 1200);
  EXPECT_EQ(requests[0].at("deadline_in_ms"), 3000);
  EXPECT_TRUE(requests[1].at("deadline_in_ms").is_null());
  EXPECT_EQ(requests[2].at("deadline_in_ms"), -1000);
  EXPECT_EQ(boost::json::serialize(make().at("totals").at("answers")), R"({"200":1})");
}

TEST_F(StatusTest, TellsWhichWorkersAreNotReadyAndWhatThatMeansForTheServer) {
  seat(0, 4711, SlotState::serving);
  seat(1, 4712, SlotState::serving);
  snapshot.readiness.serving = 2;
  scoreboard::WorkerBoard first(board, 0), second(board, 1);
  first.begin(3, 4711, kNow - 20s);
  second.begin(3, 4712, kNow - 20s);
  EXPECT_TRUE(make().at("ready").as_bool());
  second.set_unready(true, false);
  EXPECT_TRUE(make().at("ready").as_bool());
  EXPECT_TRUE(worker(0).at("ready").as_bool());
  EXPECT_FALSE(worker(1).at("ready").as_bool());
  first.set_unready(true, true);
  EXPECT_EQ(make().at("unready").as_string(),
            "draining (health.drain_file exists), the app's ready() says no in all 2 workers");
}

TEST_F(StatusTest, TellsWhenACoolingSlotStartsAgain) {
  seat(0, 0, SlotState::cooling, kNow + 350ms, 4);
  const auto shown = worker(0);
  EXPECT_TRUE(shown.at("pid").is_null());
  EXPECT_EQ(shown.at("state"), "cooling");
  EXPECT_TRUE(shown.at("age_s").is_null());
  EXPECT_TRUE(shown.at("memory_bytes").is_null());
  EXPECT_EQ(shown.at("restart_in_ms"), 350);
  EXPECT_EQ(shown.at("crashes_in_a_row"), 4);
}

TEST_F(StatusTest, TellsWhyAWorkerGoes) {
  seat(0, 4711, SlotState::draining, kNow + 3s);
  snapshot.workers[0].cause = Cause::memory_soft;
  EXPECT_EQ(worker(0).at("cause"), "memory_soft");
}

TEST_F(StatusTest, LivesWhileAWorkersLoopTurns) {
  seat(0, 0, SlotState::cooling, kNow + 1s, 4);
  EXPECT_EQ(lifeless(), "no worker serves");
  seat(1, 4711, SlotState::serving);
  EXPECT_EQ(lifeless(), "");
  snapshot.workers[1].hangs = true;
  EXPECT_EQ(lifeless(), "the workers hang");
}

/// The scoreboard belongs to the app: what it writes there may confuse the figures, not the verdict of a probe that
/// kills.
TEST_F(StatusTest, LivesWhateverTheAppWritesOnTheBoard) {
  seat(0, 4711, SlotState::serving);
  scoreboard::WorkerBoard writer(board, 0);
  writer.begin(3, 1, kNow - 100s);
  writer.beat(kNow - 99s, 4711);
  writer.set_connections(7);
  EXPECT_EQ(lifeless(), "");
  EXPECT_EQ(worker(0).at("connections"), 7)
      << "the slot is cleared at a worker's end, so it is this one's, with whatever pid";
}

TEST_F(StatusTest, LivesWhileItStartsOrStops) {
  EXPECT_EQ(lifeless(), "no worker serves");
  snapshot.booting = true;
  EXPECT_EQ(lifeless(), "");
  snapshot.booting = false;
  snapshot.stopping = true;
  EXPECT_EQ(lifeless(), "");
  snapshot.stopping = false;
  snapshot.mold = supervisor::MoldState::loading;
  EXPECT_EQ(lifeless(), "") << "a mold that died with all the workers preloads again";
  snapshot.mold = supervisor::MoldState::cooling;
  seat(0, 4711, SlotState::starting);
  EXPECT_EQ(lifeless(), "");
}

TEST_F(StatusTest, WhatAnEarlierWorkerLeftOnTheBoardIsNotTheNextOnes) {
  scoreboard::WorkerBoard writer(board, 0);
  writer.begin(2, 4000, kNow - 100s);
  writer.beat(kNow - 50s, 4000);
  writer.set_connections(7);
  writer.row(0).begin({.method = "GET", .target = "/", .request_id = "", .peer = ""}, kNow - 60s, kNow);
  seat(0, 4711, SlotState::starting);
  const auto shown = worker(0);
  EXPECT_EQ(shown.at("connections"), 0);
  EXPECT_TRUE(shown.at("beat_age_ms").is_null());
  EXPECT_TRUE(shown.at("in_progress").as_array().empty());
}

}  // namespace
}  // namespace serval::control
