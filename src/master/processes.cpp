#include "master/processes.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "base/errno_text.hpp"

namespace serval::master {
namespace {

constexpr int kBatchSize = 16;
/// Packets in the largest pipe that fcntl(2) F_SETPIPE_SZ gives the unprivileged: a page each.
constexpr int kMaxPacketsInPipe = 256;

}  // namespace

Line::Line(boost::asio::io_context& io, ipc::Channel channel, std::function<void(const ipc::Packet&)> on_packet)
    : channel_(std::move(channel)), on_packet_(std::move(on_packet)) {
  if (!channel_.open()) return;
  watch_.emplace(io, channel_.in_fd(), [this] {
    for (int turn = 0; turn < kBatchSize && read_one(); ++turn) {
    }
  });
}

bool Line::read_one() {
  if (!watch_) return false;
  ipc::Channel::Received received;
  switch (channel_.receive(received)) {
    case ipc::Channel::State::received: break;
    case ipc::Channel::State::malformed: received.packet = {}; break;
    case ipc::Channel::State::empty: return false;
    case ipc::Channel::State::closed:  // its exit tells the rest
      watch_.reset();
      return false;
  }
  on_packet_(received.packet);
  return true;
}

void Line::drain() {
  for (int packet = 0; packet < kMaxPacketsInPipe && read_one(); ++packet) {
  }
}

void Line::close() {
  watch_.reset();
  channel_.close();
}

Result<OutputPipes> OutputPipes::make() {
  OutputPipes pipes;
  for (auto [read, write] :
       {std::pair{&pipes.output_read, &pipes.output_write}, std::pair{&pipes.error_read, &pipes.error_write}}) {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) return Error{"cannot make a pipe for the app's output: " + errno_text()};
    read->reset(fds[0]);
    write->reset(fds[1]);
  }
  return pipes;
}

namespace {

Writer with_stream(Writer writer, const char* stream) {
  writer.stream = stream;
  return writer;
}

}  // namespace

Captures::Captures(boost::asio::io_context& io, OutputPipes& pipes, const std::string& process, int generation,
                   pid_t pid)
    : Captures(io, pipes, Writer{process, generation, pid}) {}

Captures::Captures(boost::asio::io_context& io, OutputPipes& pipes, const Writer& writer)
    : output(io, std::move(pipes.output_read), with_stream(writer, "stdout")),
      error(io, std::move(pipes.error_read), with_stream(writer, "stderr")) {}

void Captures::drain() {
  output.drain();
  error.drain();
}

}  // namespace serval::master
