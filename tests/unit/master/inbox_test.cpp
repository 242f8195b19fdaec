#include "master/inbox.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ipc/channel.hpp"
#include "log_lines.hpp"
#include "master/stack_command.hpp"

namespace serval::master {
namespace {

ipc::Packet from_generation(int generation, const ipc::FromMold& message) {
  ipc::Packet packet = ipc::encode(message);
  packet.generation = generation;
  return packet;
}

TEST(FromMold, IsBelievedOnlyForItsOwnGeneration) {
  const ipc::Packet packet = from_generation(2, ipc::Loaded{"abc"});
  const auto message = from_mold(packet, 2);
  ASSERT_TRUE(message);
  EXPECT_EQ(std::get<ipc::Loaded>(*message).build_id, "abc");
  EXPECT_EQ(from_mold(packet, 3).error(), "it names another generation");
}

TEST(FromMold, IsNoMessageOfAnotherDirection) {
  ipc::Packet packet = ipc::encode<ipc::FromWorker>(ipc::Ready{});
  packet.generation = 1;
  EXPECT_EQ(from_mold(packet, 1).error(), "a mold says no such thing");
  EXPECT_EQ(from_mold({.generation = 1}, 1).error(), "a mold says no such thing");
}

TEST(FromWorker, IsNoMessageOfAnotherDirectionOrWithoutAReadableReport) {
  EXPECT_TRUE(from_worker(ipc::encode<ipc::FromWorker>(ipc::Ready{})));
  EXPECT_EQ(from_worker(ipc::encode<ipc::FromMold>(ipc::Loaded{})).error(), "a worker says no such thing");
  ipc::Packet crashed = ipc::encode<ipc::FromWorker>(ipc::Crashed{});
  EXPECT_TRUE(from_worker(crashed));
  crashed.text_size = 3;
  EXPECT_EQ(from_worker(crashed).error(), "a worker says no such thing");
}

TEST(OwesAnswer, OnlyForAForkThatWasSentAndIsNotAnswered) {
  WorkerProcess worker;
  worker.generation = 2;
  EXPECT_FALSE(owes_answer(2, nullptr));
  EXPECT_FALSE(owes_answer(2, &worker)) << "it has not been asked";
  worker.asked = true;
  EXPECT_TRUE(owes_answer(2, &worker));
  EXPECT_FALSE(owes_answer(3, &worker)) << "another mold was asked";
  worker.pid = 100;
  EXPECT_FALSE(owes_answer(2, &worker)) << "it has answered";
}

TEST(DroppedLine, SaysWhatWasClaimed) {
  const ipc::Packet packet{.tag = 99, .slot = 7, .generation = -1};
  EXPECT_EQ(text_of(dropped_line(packet, "worker[3]", "a worker says no such thing")),
            "message dropped from=worker[3] why=a worker says no such thing kind=99 claimed_gen=-1 claimed_slot=7");
}

/// A mold of generation 1, whose end of the channel the test holds; and the parts between it and the supervisor.
struct InboxTest : testing::Test {
  InboxTest() {
    generations.begin(1);
    auto mold = std::make_unique<MoldProcess>();
    mold->generation = 1;
    mold->pid = 1;
    auto ends = std::move(ipc::Channel::pair().value());
    mold->line.emplace(io, std::move(ends.first), [](const ipc::Packet&) {});
    molds_end = std::move(ends.second);
    children.add(std::move(mold));
  }
  void fork(int slot) { launcher.perform(supervisor::ForkWorker{.slot = slot, .number = slot, .generation = 1}); }
  /// Slots that the mold has been asked to fork a worker for.
  std::vector<int> forks() {
    std::vector<int> slots;
    ipc::Channel::Received received;
    while (molds_end.receive(received) == ipc::Channel::State::received)
      slots.push_back(std::get<ipc::Fork>(ipc::decode<ipc::ToMold>(received.packet).value()).slot);
    return slots;
  }
  void mold_says(const ipc::FromMold& message) { inbox.on_mold_packet(1, from_generation(1, message)); }

  boost::asio::io_context io;
  config::Config config;
  Children children;
  Generations generations{{.config = std::make_shared<const config::Config>(), .logs = {}, .listeners = {}}};
  Inheritance inheritance{config};
  WorkerMemory memory{config.memory};
  std::vector<pid_t> strangers;
  Reaper reaper{[this](const os::ChildExit& exit) { strangers.push_back(exit.pid); }};
  std::vector<supervisor::Event> events;
  std::vector<supervisor::Log> lines;
  std::vector<int> exits;
  Tell tell = [this](supervisor::Event event) { events.push_back(std::move(event)); };
  Report report = [this](supervisor::Log line) { lines.push_back(std::move(line)); };
  StackNames names{io, "/bin/false"};
  WorkerStacks stacks{io, names, inheritance.scoreboard, ways_to_workers(children)};
  WorkerProfiles profiles{io, children};
  WorkerReports reports{children, generations, names, tell, report};
  Launcher launcher{{io, children, generations, inheritance, memory, reaper},
                    {.tell = tell,
                     .on_mold_packet = [](int, const auto&) {},
                     .on_worker_packet = [](int, const auto&) {},
                     .on_mold_exit = [](int, const auto&) {},
                     .on_worker_exit = [this](int slot, const auto&) { exits.push_back(slot); }}};
  TaskForks tasks{children, [](int, const Result<pid_t>&, UniqueFd) {}};
  Inbox inbox{{children, generations, launcher, tasks, reports, stacks, profiles}, tell, report};
  ipc::Channel molds_end;
};

TEST_F(InboxTest, WhatAMoldHasLoadedIsKeptAndTold) {
  mold_says(ipc::Loaded{"abc"});
  EXPECT_EQ(generations.at(1).build, "abc");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<supervisor::MoldLoaded>(events[0]).build, "abc");
}

TEST_F(InboxTest, AnAnswerToNoForkIsDropped) {
  mold_says(ipc::Forked{.slot = 0, .pid = ::getpid()});
  EXPECT_TRUE(events.empty());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(field_of(lines[0], "why"), "it answers no fork that it was asked for");
}

TEST_F(InboxTest, AForkWhoseProcessIsNoChildOfOursHasFailed) {
  fork(0);
  EXPECT_EQ(forks(), std::vector{0});
  mold_says(ipc::Forked{.slot = 0, .pid = ::getppid()});
  ASSERT_EQ(events.size(), 1U);
  const auto& failed = std::get<supervisor::ForkFailed>(events[0]);
  EXPECT_EQ(failed.why, "the mold says that the worker has pid " + std::to_string(::getppid()) +
                            ", but that process is no child of this server's master");
  EXPECT_EQ(children.find_worker(0), nullptr);
}

TEST_F(InboxTest, AWorkerThatEndedBeforeItWasNamedIsDeliveredOnceItIs) {
  constexpr pid_t kNoProcess = 1 << 23;  // beyond the largest pid that the kernel gives (proc(5), pid_max)
  fork(0);
  os::ChildExit exit;
  exit.pid = kNoProcess;
  children.note_early_exit(exit);
  mold_says(ipc::Forked{.slot = 0, .pid = kNoProcess});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<supervisor::WorkerForked>(events[0]).pid, kNoProcess);
  EXPECT_EQ(exits, std::vector{0});
}

TEST_F(InboxTest, AMoldHasFewForksToAnswerAtATime) {
  for (int slot = 0; slot < 12; ++slot) fork(slot);
  EXPECT_EQ(forks(), (std::vector{0, 1, 2, 3, 4, 5, 6, 7}));
  mold_says(ipc::ForkFailed{.slot = 0, .why = "no memory"});
  EXPECT_EQ(forks(), std::vector{8});
  EXPECT_EQ(std::get<supervisor::ForkFailed>(events.at(0)).why, "no memory");
}

TEST_F(InboxTest, AMoldThatHasHungUpForksNoWorker) {
  molds_end.close();
  fork(0);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<supervisor::ForkFailed>(events[0]).why, "the mold does not take messages any more");
  EXPECT_EQ(children.find_worker(0), nullptr);
}

TEST_F(InboxTest, WhatAWorkerSaysIsAboutItsOwnSlotWhateverItClaims) {
  fork(4);
  ipc::Packet packet = ipc::encode<ipc::FromWorker>(ipc::Ready{});
  packet.slot = 9;
  inbox.on_worker_packet(4, packet);
  inbox.on_worker_packet(4, ipc::encode<ipc::FromWorker>(ipc::WantsReplacement{"no descriptors"}));
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(std::get<supervisor::WorkerReady>(events[0]).slot, 4);
  EXPECT_EQ(std::get<supervisor::WorkerSpent>(events[1]).slot, 4);
  EXPECT_EQ(std::get<supervisor::WorkerSpent>(events[1]).why, "no descriptors");
}

TEST_F(InboxTest, WhatNoWorkerSaysIsDropped) {
  fork(4);
  inbox.on_worker_packet(4, {.tag = 99});
  EXPECT_TRUE(events.empty());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(field_of(lines[0], "from"), "worker[4]");
}

}  // namespace
}  // namespace serval::master
