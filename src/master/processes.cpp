#include "master/processes.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "base/errno_text.hpp"

namespace serval::master {

Line::Line(boost::asio::io_context& io, ipc::Channel channel, std::function<void(const ipc::Message&)> on_message)
    : channel_(std::move(channel)), on_message_(std::move(on_message)) {
  if (channel_.fd() >= 0) watch_.emplace(io, channel_.fd(), [this] { read(); });
}

void Line::read() {
  ipc::Channel::Received received;
  while (watch_) {
    switch (channel_.receive(received)) {
      case ipc::Channel::State::received: on_message_(received.message); break;
      case ipc::Channel::State::empty: return;
      case ipc::Channel::State::closed: return watch_.reset();  // its exit tells the rest
    }
  }
}

void Line::close() {
  watch_.reset();
  channel_.take().reset();
}

Result<OutputPipes> OutputPipes::make() {
  OutputPipes pipes;
  for (auto [read, write] : {std::pair{&pipes.output_read, &pipes.output_write}, std::pair{&pipes.error_read, &pipes.error_write}}) {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) return Error{"cannot make a pipe for the app's output: " + errno_text()};
    read->reset(fds[0]);
    write->reset(fds[1]);
  }
  return pipes;
}

Captures::Captures(boost::asio::io_context& io, OutputPipes& pipes, const std::string& process, int generation, pid_t pid)
    : output(io, std::move(pipes.output_read), {process, generation, pid, "stdout"}),
      error(io, std::move(pipes.error_read), {process, generation, pid, "stderr"}) {}

void Captures::drain() {
  output.drain();
  error.drain();
}

}  // namespace serval::master
