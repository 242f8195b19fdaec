#include "base/readiness.hpp"

#include <gtest/gtest.h>

namespace serval {
namespace {

Readiness with(ServerState state, int serving = 3) {
  Readiness server{state};
  server.serving = serving;
  return server;
}

Readiness workers(int serving, int declining, int needed, int silent = 0) {
  Readiness server;
  server.silent = silent;
  server.serving = serving;
  server.declining = declining;
  server.needed = needed;
  return server;
}

TEST(Readiness, WhyNot) {
  Readiness drain_file = with({});
  drain_file.drain_file = true;
  const struct {
    const char* rule;
    Readiness server;
    std::string why;
  } rows[] = {
      {"one that serves is ready", with({}), ""},
      {"one that boots is not, whatever else", with({.booting = true, .draining = true}, 0), "booting"},
      {"one that stops is not, whatever else", with({.booting = true, .stopping = true, .paused = true}), "stopping"},
      {"drained", with({.draining = true}), "draining (serval drain)"},
      {"paused", with({.paused = true}), "paused (serval pause)"},
      {"every reason is said", with({.draining = true, .paused = true}, 0),
       "draining (serval drain), paused (serval pause), no worker serves"},
      {"a drain file", drain_file, "draining (health.drain_file exists)"},
      {"nobody serves", workers(0, 0, 1), "no worker serves"},
      {"nobody serves, of many that should", workers(0, 0, 4), "no worker serves"},
      {"few are better than none", workers(1, 0, 1), ""},
      {"as many as it takes", workers(2, 0, 2), ""},
      {"fewer", workers(2, 0, 3), "only 2 workers serve, and health.ready_workers is 3"},
      {"fewer, one", workers(1, 0, 3), "only 1 worker serves, and health.ready_workers is 3"},
      {"one app that says no is none of the server's", workers(3, 2, 1), ""},
      {"all say no", workers(3, 3, 1), "the app's ready() says no in all 3 workers"},
      {"the only one says no", workers(1, 1, 1), "the app's ready() says no in the only worker"},
      {"too few say yes", workers(4, 3, 2),
       "the app's ready() says yes in only 1 of 4 workers, and health.ready_workers is 2"},
      {"one silent worker is none of the server's", workers(3, 0, 1, 1), ""},
      {"all are silent", workers(3, 0, 1, 3), "all 3 workers have given no sign of life for 15s"},
      {"the only one is", workers(1, 0, 1, 1), "the only worker has given no sign of life for 15s"},
      {"too few are not", workers(3, 0, 3, 1),
       "1 of 3 workers has given no sign of life for 15s, and health.ready_workers is 3"},
      {"the rest says no", workers(3, 1, 1, 2),
       "2 of 3 workers have given no sign of life for 15s, the app's ready() says no in 1"},
  };
  for (const auto& row : rows) EXPECT_EQ(why_not_ready(row.server), row.why) << row.rule;
}

TEST(Readiness, WhoIsSilent) {
  const TimePoint now = TimePoint{} + std::chrono::hours(1);
  EXPECT_FALSE(is_silent(now, now));
  EXPECT_FALSE(is_silent(now - kSilentAfter, now));
  EXPECT_TRUE(is_silent(now - kSilentAfter - std::chrono::milliseconds(1), now));
  EXPECT_FALSE(is_silent(now + std::chrono::hours(1), now)) << "one that ends gives no more signs";
  EXPECT_FALSE(is_silent(TimePoint{}, now)) << "it has just begun to serve";
}

}  // namespace
}  // namespace serval
