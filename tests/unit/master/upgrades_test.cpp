#include "master/upgrades.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace serval::master {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct UpgradesTest : testing::Test {
  /// What has come of a check of this program; the reason, or "good".
  std::string check(const std::string& program) {
    Upgrades upgrades(io, reaper, {program, "run"},
                      {.tell = [this](supervisor::Event event) { events.push_back(std::move(event)); },
                       .hand_over = [] { return Handover{.protocol = kHandoverProtocol, .scoreboard_fd = 2}; },
                       .about_to_exec = [] {}});
    upgrades.perform(supervisor::CheckUpgrade{});
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (events.empty() && std::chrono::steady_clock::now() < deadline) {
      io.restart();
      io.run_one_for(10ms);
      reaper.reap();
    }
    if (events.size() != 1) return std::to_string(events.size()) + " events";
    why_no_exec = upgrades.exec_successor().error();
    const auto& checked = std::get<supervisor::UpgradeChecked>(events[0]);
    return checked.good ? "good" : checked.why;
  }

  boost::asio::io_context io;
  Reaper reaper{[](const os::ChildExit&) {}};
  std::vector<supervisor::Event> events;
  std::string why_no_exec;
};

TEST_F(UpgradesTest, AProgramThatDoesNotProveItselfIsNoSuccessor) {
  EXPECT_THAT(check("/bin/true"), HasSubstr("/true: "));
  EXPECT_EQ(why_no_exec, "no program has been checked");
}

TEST_F(UpgradesTest, AProgramThatFailsIsNoSuccessor) {
  EXPECT_THAT(check("/bin/false"), HasSubstr("exit code 1"));
  EXPECT_EQ(why_no_exec, "no program has been checked");
}

TEST_F(UpgradesTest, AProgramThatIsNotThereIsSaidAtOnce) {
  EXPECT_THAT(check("/no/such/serval"), HasSubstr("/no/such/serval"));
}

}  // namespace
}  // namespace serval::master
