#include "base/readiness.hpp"

#include <gtest/gtest.h>

namespace serval {
namespace {

Readiness with(ServerState state, int serving = 3) {
  Readiness server{state};
  server.serving = serving;
  return server;
}

Readiness workers(int serving, int declining, int needed) {
  Readiness server;
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
  };
  for (const auto& row : rows) EXPECT_EQ(why_not_ready(row.server), row.why) << row.rule;
}

}  // namespace
}  // namespace serval
