#include "master/process_records.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>

#include "ipc/messages.hpp"

namespace serval::master {
namespace {

/// The channel's other end is left to the caller.
ipc::Channel connect(boost::asio::io_context& io, std::optional<Line>& line) {
  auto ends = std::move(ipc::Channel::pair().value());
  line.emplace(io, std::move(ends.first), [](const ipc::Packet&) {});
  return std::move(ends.second);
}

TEST(ProcessRecords, HaveWhatASuccessorNeedsOfAMold) {
  boost::asio::io_context io;
  MoldProcess mold;
  mold.generation = 2;
  mold.pid = 50;
  mold.app_file = {.device = 1, .inode = 10, .size = 100, .modified_ns = 5};
  const ipc::Channel theirs = connect(io, mold.line);
  const ProcessRecord record = record_of(mold);
  EXPECT_EQ(record.generation, 2);
  EXPECT_EQ(record.pid, 50);
  EXPECT_EQ(record.reports_fd, mold.line->in_fd());
  EXPECT_EQ(record.orders_fd, mold.line->out_fd());
  EXPECT_EQ(record.output_fd, -1) << "its output is not captured";
  EXPECT_EQ(app_file_of(record), mold.app_file);
}

TEST(ProcessRecords, OfAWorkerLeadToItsChannelAndItsOutput) {
  boost::asio::io_context io;
  Children children;
  auto worker = std::make_unique<WorkerProcess>();
  worker->slot = 5;
  worker->known_as = 3;
  worker->generation = 2;
  worker->pid = 100;
  worker->max_requests = 1000;
  ipc::Channel theirs = connect(io, worker->line);
  OutputPipes pipes = std::move(OutputPipes::make().value());
  worker->captures.emplace(io, pipes, "worker[3]", 2, 100);
  const int output = worker->captures->output.fd(), error = worker->captures->error.fd();
  children.add(std::move(worker));

  Handover handover;
  record(children, handover);
  ASSERT_EQ(handover.workers.size(), 1U);
  ProcessRecord record = handover.workers[0];
  EXPECT_EQ(record.slot, 5);
  EXPECT_EQ(record.known_as, 3);
  EXPECT_EQ(record.max_requests, 1000);
  EXPECT_EQ(record.output_fd, output);
  EXPECT_EQ(record.error_fd, error);

  // After an exec the numbers are all that is left; here copies stand for them.
  record.reports_fd = ::dup(record.reports_fd);
  record.orders_fd = ::dup(record.orders_fd);
  ipc::Channel ours = channel_of(record);
  EXPECT_TRUE(ours.send(ipc::encode<ipc::ToWorker>(ipc::Resume{})));
  ipc::Channel::Received received;
  EXPECT_EQ(theirs.receive(received), ipc::Channel::State::received);
  EXPECT_TRUE(theirs.send(ipc::encode<ipc::FromWorker>(ipc::Ready{})));
  EXPECT_EQ(ours.receive(received), ipc::Channel::State::received);
}

}  // namespace
}  // namespace serval::master
