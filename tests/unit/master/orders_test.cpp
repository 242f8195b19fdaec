#include "master/orders.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "ipc/channel.hpp"

namespace serval::master {
namespace {

/// A worker in seat 5 whose end of the channel the test holds, and a mold likewise.
struct OrdersTest : testing::Test {
  OrdersTest() {
    auto worker = std::make_unique<WorkerProcess>();
    worker->slot = 5;
    worker->generation = 1;
    workers_end = connect(worker->line);
    children.add(std::move(worker));
    auto mold = std::make_unique<MoldProcess>();
    mold->generation = 1;
    molds_end = connect(mold->line);
    children.add(std::move(mold));
    generations.begin(1);
  }
  ipc::Channel connect(std::optional<Line>& line) {
    auto ends = std::move(ipc::Channel::pair().value());
    line.emplace(io, std::move(ends.first), [](const ipc::Packet&) {});
    return std::move(ends.second);
  }
  static Generation generation() {
    const LogFilesRecord files{.file = "stderr", .log_fd = ::dup(2), .access_fd = -1};
    return {
        .config = std::make_shared<const config::Config>(), .logs = std::make_shared<LogFiles>(files), .listeners = {}};
  }
  /// What has come in at that end; none: nothing.
  template <class Direction>
  static std::optional<Direction> read(ipc::Channel& end) {
    ipc::Channel::Received received;
    if (end.receive(received) != ipc::Channel::State::received) return std::nullopt;
    return ipc::decode<Direction>(received.packet);
  }

  boost::asio::io_context io;
  Children children;
  Generations generations{generation()};
  ipc::Channel workers_end, molds_end;
  std::vector<supervisor::Event> events;
  Orders orders{children, generations, [this](supervisor::Event event) { events.push_back(std::move(event)); }};
};

TEST_F(OrdersTest, ReachTheWorkerThatTheyAreFor) {
  orders.perform(supervisor::DrainWorker{.slot = 5, .succeeded = true});
  orders.perform(supervisor::PauseWorker{.slot = 5, .pause = 7});
  orders.perform(supervisor::ResumeWorker{.slot = 5});
  orders.perform(supervisor::ReopenWorker{.slot = 5});
  EXPECT_TRUE(std::get<ipc::Drain>(read<ipc::ToWorker>(workers_end).value()).others_take_over);
  EXPECT_EQ(std::get<ipc::Pause>(read<ipc::ToWorker>(workers_end).value()).number, 7U);
  EXPECT_TRUE(std::holds_alternative<ipc::Resume>(read<ipc::ToWorker>(workers_end).value()));
  EXPECT_TRUE(std::holds_alternative<ipc::Reopen>(read<ipc::ToWorker>(workers_end).value()));
  EXPECT_TRUE(events.empty());
}

TEST_F(OrdersTest, ToOneThatIsNotThereAreNoError) {
  orders.perform(supervisor::DrainWorker{.slot = 6, .succeeded = false});
  orders.perform(supervisor::ReopenWorker{.slot = 6});
  orders.perform(supervisor::StopMold{.generation = 2});
  orders.perform(supervisor::ReopenMold{.generation = 2});
  EXPECT_FALSE(read<ipc::ToWorker>(workers_end));
  EXPECT_TRUE(events.empty());
}

TEST_F(OrdersTest, OneThatDoesNotReadIsDeaf) {
  for (int i = 0; i < 10'000 && events.empty(); ++i) orders.perform(supervisor::ResumeWorker{.slot = 5});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<supervisor::WorkerDeaf>(events[0]).slot, 5);
  for (int i = 0; i < 10'000 && events.size() < 2; ++i) orders.perform(supervisor::ReopenMold{.generation = 1});
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(std::get<supervisor::MoldDeaf>(events[1]).generation, 1);
}

TEST_F(OrdersTest, OneThatHasHungUpIsNotDeafSinceItsExitFollows) {
  workers_end.close();
  molds_end.close();
  orders.perform(supervisor::DrainWorker{.slot = 5, .succeeded = false});
  orders.perform(supervisor::ReopenMold{.generation = 1});
  EXPECT_TRUE(events.empty());
}

TEST_F(OrdersTest, AMoldLeavesOnceItsChannelEnds) {
  orders.perform(supervisor::StopMold{.generation = 1});
  ipc::Channel::Received received;
  EXPECT_EQ(molds_end.receive(received), ipc::Channel::State::closed);
  orders.perform(supervisor::ReopenMold{.generation = 1});
  EXPECT_TRUE(events.empty()) << "we have hung up ourselves";
}

}  // namespace
}  // namespace serval::master
