#include "admin/metrics.hpp"

#include <boost/json/parse.hpp>

#include <gmock/gmock.h>

#include "scoreboard/writer.hpp"

namespace serval::admin {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

struct MetricsTest : testing::Test {
  std::string text(const char* status, Format format = Format::prometheus) {
    const Status told = status == nullptr
                            ? nullptr
                            : std::make_shared<const boost::json::object>(boost::json::parse(status).as_object());
    return metrics({.version = "0.1.0",
                    .name = "shop",
                    .status = told,
                    .totals = totals,
                    .exemplars = exemplars,
                    .machine = machine,
                    .utilization = utilization,
                    .spans = nullptr,
                    .app = app,
                    .now = TimePoint{} + 1h,
                    .wall_now = std::chrono::system_clock::time_point(1'000'000s)},
                   format);
  }

  scoreboard::Totals totals;
  std::vector<scoreboard::Exemplar> exemplars;
  MachineFigures machine;
  Utilization utilization;
  std::vector<metrics::Family> app;
};

TEST_F(MetricsTest, WhatTheAppCountsComesLast) {
  app = {{.shape = {.name = "shop_orders", .help = "a \\ \n b", .labels = {"kind"}, .rows = 5},
          .samples = {{.values = {"a\"b"}, .count = 3}, {.values = {"other"}, .count = 1}}},
         {.shape = {.kind = metrics::Kind::gauge, .name = "shop_carts", .help = ""},
          .samples = {{.values = {}, .value = 2.5}}},
         {.shape = {.kind = metrics::Kind::histogram, .name = "shop_size", .help = "h", .bounds = {1, 1e300}},
          .samples = {{.values = {}, .value = 7, .buckets = {1, 2, 3}}}}};
  const std::string out = text(nullptr);
  const auto at = out.find("# HELP shop_orders_total");
  ASSERT_NE(at, out.npos);
  EXPECT_EQ(out.substr(at),
            "# HELP shop_orders_total a \\\\ \\n b\n# TYPE shop_orders_total counter\n"
            "shop_orders_total{kind=\"a\\\"b\"} 3\nshop_orders_total{kind=\"other\"} 1\n"
            "# HELP shop_carts \n# TYPE shop_carts gauge\nshop_carts 2.5\n"
            "# HELP shop_size h\n# TYPE shop_size histogram\n"
            "shop_size_bucket{le=\"1\"} 1\nshop_size_bucket{le=\"1e+300\"} 3\nshop_size_bucket{le=\"+Inf\"} 6\n"
            "shop_size_sum 7\nshop_size_count 6\n");
}

TEST_F(MetricsTest, SchedulesOfPrograms) {
  const std::string out = text(R"({"programs": [
    {"name": "kept", "instances": [], "schedule": null},
    {"name": "job", "instances": [], "schedule": {"next_at_s": 1795869000.5, "succeeded_at_s": null,
     "last": {"took_ms": 1500}, "runs": {"failure": 2}}}]})");
  EXPECT_THAT(out, HasSubstr("serval_program_runs_total{program=\"job\",result=\"failure\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("serval_program_runs_total{program=\"job\",result=\"success\"} 0\n"));
  EXPECT_THAT(out, HasSubstr("serval_program_last_run_duration_seconds{program=\"job\"} 1.5\n"));
  EXPECT_THAT(out, HasSubstr("serval_program_next_run_timestamp_seconds{program=\"job\"} 1795869000.5\n"));
  EXPECT_THAT(out, Not(HasSubstr("serval_program_last_success_timestamp_seconds{")));
  EXPECT_THAT(out, Not(HasSubstr("serval_program_runs_total{program=\"kept\"")));
}

TEST_F(MetricsTest, RequestsComeFromTheScoreboardAlone) {
  totals.answers[200 - scoreboard::kFirstStatus] = 5;
  totals.answers[503 - scoreboard::kFirstStatus] = 2;
  totals.counters[scoreboard::index_of(scoreboard::Counter::timeouts)] = 3;
  auto& durations = totals.histograms[scoreboard::index_of(scoreboard::Histogram::request_duration)];
  durations.counts[0] = 4;
  durations.counts[scoreboard::kBuckets - 1] = 1;
  durations.sum_ns = 1'500'000'000;
  const std::string out = text(nullptr);
  for (const char* line :
       {"serval_requests_total{code=\"200\"} 5\n", "serval_requests_total{code=\"500\"} 0\n",
        "serval_requests_total{code=\"503\"} 2\n", "serval_request_timeouts_total 3\n",
        "serval_request_duration_seconds_bucket{le=\"0.0005\"} 4\n",
        "serval_request_duration_seconds_bucket{le=\"+Inf\"} 5\n", "serval_request_duration_seconds_sum 1.5\n",
        "serval_request_duration_seconds_count 5\n", "serval_up 0\n"}) {
    EXPECT_THAT(out, HasSubstr(line));
  }
  EXPECT_THAT(out, Not(HasSubstr("serval_workers{")));
}

TEST_F(MetricsTest, WhoeverSeesASlowBucketCanLookForOneOfItsRequests) {
  exemplars.resize(scoreboard::kBuckets);
  exemplars[0] = {.at = TimePoint{} + 1h - 2500ms, .duration = 250us, .request_id = "6f2a", .trace_id = "0af7"};
  exemplars[1] = {.at = TimePoint{} + 1h, .duration = 750us, .request_id = "x\xff\"", .trace_id = ""};
  const std::string out = text(nullptr, Format::openmetrics);
  EXPECT_THAT(out, HasSubstr("serval_request_duration_seconds_bucket{le=\"0.0005\"} 0 # "
                             "{request_id=\"6f2a\",trace_id=\"0af7\"} 0.00025 999997.500\n"));
  EXPECT_THAT(out, HasSubstr("# {request_id=\"x\xef\xbf\xbd\\\"\"} 0.00075 1000000.000\n"));
  EXPECT_THAT(out, HasSubstr("serval_queue_wait_seconds_bucket{le=\"0.0005\"} 0\n"));
  EXPECT_THAT(text(nullptr), Not(HasSubstr("6f2a"))) << "the older format has none";
}

TEST_F(MetricsTest, EachGenerationHasItsFigures) {
  const std::string out = text(R"({"generations":[
    {"number":3,"state":"retiring","requests":40,"errors":2,"p50_ms":1.5,"p95_ms":25.0},
    {"number":4,"state":"loading","requests":0,"errors":0,"p50_ms":null,"p95_ms":null}]})");
  for (const char* line : {"serval_generation_requests_total{generation=\"3\"} 40\n",
                           "serval_generation_requests_total{generation=\"4\"} 0\n",
                           "serval_generation_errors_total{generation=\"3\"} 2\n",
                           "serval_generation_duration_p95_seconds{generation=\"3\"} 0.025\n"}) {
    EXPECT_THAT(out, HasSubstr(line));
  }
  EXPECT_THAT(out, Not(HasSubstr("serval_generation_duration_p95_seconds{generation=\"4\"}")));
}

TEST_F(MetricsTest, WorkersComeFromTheMaster) {
  const std::string out =
      text(R"({"name":"shop","live":true,"ready":false,"uptime_s":90,"generation":3,"workers_wanted":2,
    "workers":[
      {"slot":0,"state":"serving","connections":4,"running":2,"waiting":1,"threads":5,"ready":true,"beat_age_ms":250,
       "memory":{"rss":300,"pss":200,"uss":null},"in_progress":[{"age_ms":1500},{"age_ms":20}]},
      {"slot":0,"state":"draining","connections":1,"running":1,"waiting":0,"threads":5,"ready":false,"beat_age_ms":1,
       "memory":{"rss":9,"pss":9,"uss":9},"in_progress":[]},
      {"slot":1,"state":"cooling","memory":null}],
    "ended":{"crash":7},"reloads":{"ok":2,"failed":1},"listeners":[{"address":"127.0.0.1:80","queue":3,"limit":128},
    {"address":"unix:/x","queue":null,"limit":null}],"totals":{"log_lines_dropped":6}})");
  for (const char* line : {"serval_build_info{version=\"0.1.0\",name=\"shop\"} 1\n",
                           "serval_up 1\n",
                           "serval_live 1\n",
                           "serval_ready 0\n",
                           "serval_workers{state=\"serving\"} 1\n",
                           "serval_workers{state=\"draining\"} 1\n",
                           "serval_workers{state=\"starting\"} 0\n",
                           "serval_workers_ready 1\n",
                           "serval_connections{state=\"active\"} 4\n",
                           "serval_connections{state=\"idle\"} 1\n",
                           "serval_threads{state=\"busy\"} 3\n",
                           "serval_threads{state=\"idle\"} 3\n",
                           "serval_requests_waiting 1\n",
                           "serval_oldest_request_age_seconds 1.5\n",
                           "serval_worker_memory_bytes{slot=\"0\",measure=\"pss\"} 200\n",
                           "serval_worker_memory_bytes{slot=\"0\",measure=\"rss\"} 300\n",
                           "serval_worker_heartbeat_age_seconds{slot=\"0\"} 0.25\n",
                           "serval_worker_restarts_total{cause=\"crash\"} 7\n",
                           "serval_worker_restarts_total{cause=\"oom\"} 0\n",
                           "serval_reloads_total{result=\"ok\"} 2\n",
                           "serval_reloads_total{result=\"failed\"} 1\n",
                           "serval_generation 3\n",
                           "serval_accept_queue_length{address=\"127.0.0.1:80\"} 3\n",
                           "serval_log_lines_dropped_total 6\n"}) {
    EXPECT_THAT(out, HasSubstr(line));
  }
  EXPECT_THAT(out, Not(HasSubstr("unix:/x")));
  EXPECT_THAT(out, Not(HasSubstr("measure=\"uss\"")));
}

TEST_F(MetricsTest, AMasterOfAnotherShapeIsNoCrash) {
  for (const char* status : {"{}", R"({"workers":5,"ended":[],"reloads":"x","listeners":{},"totals":null})",
                             R"({"workers":[1,"x",{"memory":7,"in_progress":[3],"running":-4}]})"})
    EXPECT_THAT(text(status), HasSubstr("serval_up 1\n"));
}

TEST_F(MetricsTest, TheMachine) {
  machine = {.processes = {{"master", {12, 1024}}},
             .resources = {{"cpu", {1'500'000, 500'000}}},
             .throttling = os::Throttling{10, 4, 250'000},
             .drops = os::ListenDrops{2, 3}};
  const std::string out = text(nullptr);
  for (const char* line :
       {"serval_open_files{process=\"master\"} 12\n", "serval_open_files_limit{process=\"master\"} 1024\n",
        "serval_pressure_seconds_total{resource=\"cpu\",kind=\"some\"} 1.5\n",
        "serval_cgroup_cpu_throttled_periods_total 4\n", "serval_cgroup_cpu_throttled_seconds_total 0.25\n",
        "serval_kernel_listen_overflows_total 2\n", "serval_kernel_listen_drops_total 3\n"}) {
    EXPECT_THAT(out, HasSubstr(line));
  }
}

}  // namespace
}  // namespace serval::admin
