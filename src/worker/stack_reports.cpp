#include "worker/stack_reports.hpp"

#include <unistd.h>

#include <memory>
#include <utility>

namespace serval::worker {

using namespace std::chrono_literals;

namespace {

/// The channel must have room for other messages all the time.
constexpr int kBatchSize = 8;
constexpr auto kBatchInterval = 1ms;
constexpr int kMaxRefused = 2000;

}  // namespace

void StackReports::answer(std::uint32_t question) {
  const std::vector<pid_t> threads = stack::enlisted_threads();
  const pid_t loop = ::gettid();
  const auto left = std::make_shared<std::size_t>(threads.size());
  for (const pid_t thread : threads) {
    stacks_.ask(thread, [this, question, loop, left](const stack::Frames& frames) {
      add(question, frames, loop);
      if (--*left == 0) queue_.push_back(ipc::StacksEnd{question});
      if (!armed_) send_some();
    });
  }
}

void StackReports::add(std::uint32_t question, const stack::Frames& frames, pid_t loop) {
  queue_.push_back(ipc::Stack{question, {.has_loop = frames.thread == loop ? 1 : 0, .frames = frames}});
}

void StackReports::send_some() {
  for (int sent = 0; sent < kBatchSize && !queue_.empty(); ++sent) {
    if (!tell_(queue_.front())) {
      if (++refused_ > kMaxRefused) queue_.clear();
      break;
    }
    refused_ = 0;
    queue_.pop_front();
  }
  if (queue_.empty()) return;
  armed_ = true;
  timer_.expires_after(kBatchInterval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    armed_ = false;
    if (!error) send_some();
  });
}

}  // namespace serval::worker
