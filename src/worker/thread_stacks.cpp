#include "worker/thread_stacks.hpp"

#include <map>
#include <optional>
#include <utility>

namespace serval::worker {

using namespace std::chrono_literals;

namespace {

/// A thread answers within microseconds, unless it blocks signals or the kernel has it for good.
constexpr auto kPollInterval = 2ms;
constexpr auto kAnswerTimeout = 200ms;

stack::Frames no_frames(pid_t thread) {
  stack::Frames frames;
  frames.thread = thread;
  return frames;
}

}  // namespace

void ThreadStacks::ask(pid_t thread, Done done) {
  if (!stack::ask(thread)) return done(no_frames(thread));
  pending_.push_back({thread, Clock::now() + kAnswerTimeout, std::move(done)});
  arm();
}

void ThreadStacks::collect(bool all) {
  const TimePoint now = Clock::now();
  std::map<pid_t, std::optional<stack::Frames>> answers;  // taking one makes the thread forget it
  for (const Pending& pending : pending_) {
    if (!answers.contains(pending.thread)) answers[pending.thread] = stack::answer(pending.thread);
  }
  for (Pending& pending : std::exchange(pending_, {})) {
    const auto& frames = answers.at(pending.thread);
    if (frames || all || now >= pending.until) {
      pending.done(frames ? *frames : no_frames(pending.thread));
    } else {
      pending_.push_back(std::move(pending));
    }
  }
}

void ThreadStacks::arm() {
  if (std::exchange(armed_, true)) return;
  timer_.expires_after(kPollInterval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    armed_ = false;
    if (error) return;
    collect(false);
    if (!pending_.empty()) arm();
  });
}

}  // namespace serval::worker
