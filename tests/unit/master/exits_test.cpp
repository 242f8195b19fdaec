#include "master/exits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ipc/channel.hpp"
#include "ipc/messages.hpp"

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

/// A mold and a worker of generation 1, whose ends of their channels the test holds.
struct ExitsTest : testing::Test {
  ExitsTest() {
    generations.begin(1);
    auto mold = std::make_unique<MoldProcess>();
    mold->generation = 1;
    mold->pid = 50;
    molds_end = connect(mold->line);
    children.add(std::move(mold));
    auto worker = std::make_unique<WorkerProcess>();
    worker->slot = 2;
    worker->generation = 1;
    worker->pid = 100;
    workers_end = connect(worker->line);
    children.add(std::move(worker));
  }
  ipc::Channel connect(std::optional<Line>& line) {
    auto ends = std::move(ipc::Channel::pair().value());
    line.emplace(io, std::move(ends.first), [this](const ipc::Packet&) { happened.push_back("a word"); });
    return std::move(ends.second);
  }

  boost::asio::io_context io;
  std::vector<std::string> happened;
  Children children;
  Generations generations{{.config = std::make_shared<const config::Config>(), .logs = {}, .listeners = {}}};
  scoreboard::Memory scoreboard = std::move(scoreboard::Memory::create({.slots = 8, .rows = 2}).value());
  supervisor::Supervisor supervisor{supervisor::Settings{}};
  WorkerMemory memory{config::Memory{}};
  StackNames names{io, "/bin/false"};
  WorkerStacks stacks{io, names, scoreboard, {}};
  WorkerProfiles profiles{io, children};
  TaskForks tasks{children, [](int, const Result<pid_t>&, UniqueFd) {}};
  Exits exits{{children, generations, tasks, stacks, profiles, memory, scoreboard, supervisor},
              [this](const supervisor::Event& event) {
                const auto& exited = std::get<supervisor::ChildExited>(event);
                happened.push_back(std::to_string(exited.pid) + " " + exited.exit.text);
              }};
  ipc::Channel molds_end, workers_end;
};

TEST_F(ExitsTest, LastWordsAreHeardBeforeTheEnd) {
  EXPECT_TRUE(workers_end.send(ipc::encode<ipc::FromWorker>(ipc::Ready{})));
  exits.worker_exited(2, {.pid = 100, .signaled = true, .code = SIGSEGV});
  EXPECT_THAT(happened, testing::ElementsAre("a word", "100 SIGSEGV"));
  EXPECT_EQ(children.find_worker(2), nullptr);

  EXPECT_TRUE(molds_end.send(ipc::encode<ipc::FromMold>(ipc::LoadFailed{"why"})));
  exits.mold_exited(1, {.pid = 50, .signaled = false, .code = 1});
  EXPECT_THAT(happened, testing::ElementsAre("a word", "100 SIGSEGV", "a word", "50 exit code 1"));
  EXPECT_EQ(children.find_mold(1), nullptr);
}

TEST_F(ExitsTest, AGenerationIsForgottenWithItsLastProcess) {
  generations.begin(7);
  auto mold = std::make_unique<MoldProcess>();
  mold->generation = 7;
  mold->pid = 70;
  const ipc::Channel end = connect(mold->line);
  children.add(std::move(mold));
  exits.worker_exited(2, {.pid = 100});
  EXPECT_TRUE(generations.lives(7));
  exits.mold_exited(7, {.pid = 70});
  EXPECT_FALSE(generations.lives(7));
}

}  // namespace
}  // namespace serval::master
