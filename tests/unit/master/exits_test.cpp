#include "master/exits.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

namespace serval::master {
namespace {

using namespace std::chrono_literals;

scoreboard::RequestInProgress request(const std::string& target, const std::string& id, TimePoint started,
                                      TimePoint deadline) {
  scoreboard::RequestInProgress request;
  request.method = "GET";
  request.target = target;
  request.request_id = id;
  request.started = started;
  request.deadline = deadline;
  return request;
}

TEST(ExitOf, SaysTheSameInTheSupervisorsWords) {
  const supervisor::Exit crashed = exit_of({.pid = 100, .signaled = true, .code = SIGSEGV, .core = true});
  EXPECT_TRUE(crashed.signaled && crashed.core);
  EXPECT_EQ(crashed.code, SIGSEGV);
  EXPECT_EQ(crashed.text, "SIGSEGV");
  const supervisor::Exit left = exit_of({.pid = 100, .signaled = false, .code = 3, .core = false});
  EXPECT_FALSE(left.signaled || left.core);
  EXPECT_EQ(left.text, "exit code 3");
}

TEST(LostRequests, AreThoseWhoseClientsHaveNoAnswer) {
  const TimePoint now(10s);
  const std::vector<scoreboard::RequestInProgress> requests = {
      request("/in-time", "", now - 200ms, now + 1s),
      request("/timed-out", "", now - 5s, now),
      request("/no-deadline", "abc", now - 2s, TimePoint::max()),
  };
  const auto lost = lost_requests(requests, now);
  ASSERT_EQ(lost.size(), 2U);
  EXPECT_EQ(lost[0].target, "/in-time");
  EXPECT_EQ(lost[0].age, 200ms);
  EXPECT_EQ(lost[1].method, "GET");
  EXPECT_EQ(lost[1].target, "/no-deadline");
  EXPECT_EQ(lost[1].request_id, "abc");
}

}  // namespace
}  // namespace serval::master
