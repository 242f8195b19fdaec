#include "control/status_table.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "base/text.hpp"

namespace serval::control {
namespace {

using testing::HasSubstr;
using testing::Not;

boost::json::object object(const char* text) { return boost::json::parse(text).as_object(); }

constexpr const char* kStatus = R"({
  "name": "shop", "version": "0.1.0", "pid": 811, "generation": 1, "state": "serving", "uptime_s": 7500,
  "mold": {"state": "ready", "pid": 812}, "workers_wanted": 2, "threads": 5,
  "workers": [
    {"slot": 0, "pid": 813, "generation": 1, "state": "serving", "cause": "max_requests", "age_s": 7500,
    "requests": 602, "connections": 11,
     "running": 1, "waiting": 0, "threads": 5, "memory_bytes": 14889779, "memory_measure": "pss",
    "crashes_in_a_row": 0, "restart_in_ms": null,
     "beat_age_ms": 10,
     "in_progress": [{"method": "GET", "target": "/report?year=2026", "request_id": "6f2a", "peer": "10.0.0.7",
    "thread": 830, "age_ms": 1240,
                      "deadline_in_ms": 28760}]},
    {"slot": 1, "pid": null, "generation": 1, "state": "cooling", "cause": null, "age_s": null, "requests": 0,
    "connections": 0, "running": 0,
     "waiting": 0, "threads": 5, "memory_bytes": null, "memory_measure": null, "crashes_in_a_row": 3,
    "restart_in_ms": 350, "beat_age_ms": null,
     "in_progress": []}],
  "ended": {"crash": 3, "max_requests": 12},
  "totals": {"requests": 1204, "answers": {"200": 1201, "500": 1, "503": 2}, "timeouts": 0}})";

TEST(StatusTable, IsForPeople) {
  EXPECT_EQ(format_status(object(kStatus)),
            R"(shop, serval 0.1.0, pid 811: serving, up for 2h 5m, generation 1
1 of 2 workers serve, 1204 requests answered (5xx: 3)

SLOT PID GEN STATE   AGE  REQUESTS CONNS BUSY WAIT  MEMORY BEAT
   0 813   1 serving 2h5m      602    11  1/5    0 14.2MiB 10ms
      to be replaced: max_requests
      GET /report?year=2026 for 1.2s, 28s left
        from 10.0.0.7, thread 830, id 6f2a
   1   -   1 cooling -           0     0  0/5    0       - -
      starts again in 350ms, 3 crashes in a row

ended: crash 3, max_requests 12
)");
}

TEST(StatusTable, CanariesComeOnTop) {
  auto status = object(kStatus);
  status["workers_wanted"] = 0;
  EXPECT_THAT(format_status(status), HasSubstr("\n1 workers serve, 0 wanted, "));
}

TEST(StatusTable, AStoppedWorkerIsSaid) {
  auto status = object(kStatus);
  status["workers"].as_array()[0].as_object()["stopped"] = true;
  EXPECT_THAT(format_status(status), HasSubstr("stopped by a signal or a debugger"));
}

TEST(StatusTable, ProgramsWithASchedule) {
  auto status = object(kStatus);
  status["programs"] = boost::json::parse(R"([
    {"name": "new", "on": true, "up": true, "wanted": 1, "instances": [],
     "schedule": {"when": "every 5m", "next": "2026-11-28 15:00:00 +01:00", "last": null}},
    {"name": "old", "on": false, "up": false, "wanted": 1, "instances": [],
     "schedule": {"when": "@daily", "next": null,
                  "last": {"began": "2026-11-27 00:00:00 +01:00", "result": "failure", "how": "exit code 3",
                           "took_ms": 1500}}}])");
  EXPECT_THAT(format_status(status), Not(HasSubstr("PROGRAM"))) << "there is no instance";
  EXPECT_THAT(format_status(status),
              HasSubstr("\nnew scheduled, every 5m, next 2026-11-28 15:00:00 +01:00, has not run yet\n"
                        "old stopped, @daily\n"
                        "      last 2026-11-27 00:00:00 +01:00, failure (exit code 3) after 1.5s\n"));
}

TEST(StatusTable, SaysWhenADeadlineHasPassedAndWhenThereIsNoMold) {
  auto status = object(kStatus);
  status["mold"].as_object()["state"] = "loading";
  status["workers"].as_array()[0].as_object()["in_progress"].as_array()[0].as_object()["deadline_in_ms"] = -2500;
  EXPECT_THAT(format_status(status), HasSubstr(", 2.5s past its deadline"));
  EXPECT_THAT(format_status(status), HasSubstr(", mold loading\n"));
}

TEST(StatusTable, HasALineForEachGeneration) {
  auto status = object(kStatus);
  status["generations"] = boost::json::parse(
      R"([{"number":3,"state":"serving","library":"/srv/shop.so","build":"ab12","since_s":7500,"requests":602,)"
      R"("errors":2,"p50_ms":3.75,"p95_ms":25.0},{"number":4,"state":"loading","library":"/srv/shop.so","build":null,)"
      R"("since_s":1,"requests":0,"errors":0,"p50_ms":null,"p95_ms":null}])");
  EXPECT_THAT(format_status(status), HasSubstr("\n"
                                               "generation 3 serving, 2h 5m old: 602 requests, 2 errors, p50 3.8 ms, "
                                               "p95 25 ms\n"
                                               "      /srv/shop.so, build ab12\n"
                                               "generation 4 loading, 1s old: 0 requests, 0 errors, p50 -, p95 -\n"
                                               "      /srv/shop.so\n"));
}

TEST(StatusTable, SaysWhyTheServerIsNotReadyUnlessItsStateSaysIt) {
  auto status = object(kStatus);
  status["unready"] = "draining (serval drain)";
  EXPECT_THAT(format_status(status), HasSubstr("(5xx: 3)\nnot ready: draining (serval drain)\n"));
  status["state"] = status["unready"] = "stopping";
  EXPECT_THAT(format_status(status), Not(HasSubstr("not ready")));
}

/// An app can write them over the scoreboard. That nothing is undefined shows in the preset asan.
TEST(StatusTable, AddsUpWhateverTheNumbers) {
  auto status = object(kStatus);
  auto& answers = status["totals"].as_object()["answers"].as_object();
  answers["500"] = std::int64_t{5'401'405'589'803'990'772};
  answers["503"] = std::int64_t{8'679'377'652'076'837'146};
  EXPECT_THAT(format_status(status), HasSubstr("(5xx: 14080783241880827918)"));
}

TEST(StatusTable, FitsATerminalWithLargeNumbersInIt) {
  auto status = object(kStatus);
  status["pid"] = 4194303;
  auto& worker = status["workers"].as_array()[0].as_object();
  for (const auto& [key, value] : {std::pair{"slot", 1000},
                                   {"pid", 4194303},
                                   {"generation", 100},
                                   {"age_s", 86'399},
                                   {"requests", 99'999'999},
                                   {"connections", 10'000},
                                   {"running", 64},
                                   {"threads", 64},
                                   {"waiting", 9999},
                                   {"beat_age_ms", 59'999}}) {
    worker[key] = value;
  }
  worker["memory_bytes"] = std::int64_t{1023} << 20;
  worker["state"] = "draining";
  worker["in_progress"].as_array()[0].as_object()["request_id"] = "0af7651916cd43dd8448eb211c80319c";
  const std::string text = format_status(status);
  for (const auto line : split(text, '\n')) EXPECT_LE(line.size(), 80u) << line;
}

TEST(StatusTable, AnAgeInItsFirstSecondIsNotZero) {
  auto status = object(kStatus);
  status["uptime_s"] = 0;
  status["workers"].as_array()[0].as_object()["age_s"] = 0;
  const std::string text = format_status(status);
  EXPECT_THAT(text, HasSubstr("up for <1s,"));
  EXPECT_THAT(text, HasSubstr("serving <1s "));
}

TEST(StatusTable, LetsNoControlByteThrough) {
  auto status = object(kStatus);
  auto& request = status["workers"].as_array()[0].as_object()["in_progress"].as_array()[0].as_object();
  request["target"] = "/\x1b[2J\n" + std::string(300, 'x');
  const std::string text = format_status(status);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("/\\x1b[2J\\nxxx"));
  EXPECT_THAT(text, Not(HasSubstr(std::string(200, 'x'))));
}

TEST(StatusTable, ShowsWhatItIsGiven) {
  const char* const texts[] = {
      "{}",
      R"({"workers":[]})",
      R"({"workers":[{}]})",
      R"({"workers":{"a":1},"ended":[],"totals":1,"mold":"x"})",
      R"({"workers":[1,{"in_progress":[{},2]}]})",
      R"({"workers":[{"memory_bytes":-1,"age_s":-9223372036854775808,)"
      R"("in_progress":[{"deadline_in_ms":-9223372036854775808}]}]})",
      R"({"uptime_s":18446744073709551615,"name":1})",
  };
  for (const char* text : texts) {
    EXPECT_THAT(format_status(object(text)), HasSubstr("serval -")) << text;
  }
}

}  // namespace
}  // namespace serval::control
