#include "stack/capture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <optional>
#include <thread>

#include "own_names.hpp"

// What the stacks of the tests lead to. C names, so that they are found as they are written here.
extern "C" {
/// On a semaphore, since that is a call during which ThreadSanitizer lets signals through.
[[gnu::noinline]] void stack_test_waits(sem_t& end) {
  while (::sem_wait(&end) != 0) {
  }
  asm volatile("");  // no tail call above
}
[[gnu::noinline]] void stack_test_spins(const std::atomic<bool>& stop) {
  while (!stop.load()) {
  }
  asm volatile("");
}
}

namespace serval::stack {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Until it holds, or the test has failed.
template <class Condition>
bool becomes_true(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

Frames frames_of(pid_t thread) {
  EXPECT_TRUE(ask(thread));
  std::optional<Frames> frames;
  EXPECT_TRUE(becomes_true([&] { return (frames = answer(thread)).has_value(); }));
  return frames.value_or(Frames{});
}

std::string text_of(const Frames& frames) {
  std::string text;
  for (const auto& name : own_names(frames)) text += name + '\n';
  return text;
}

/// Enlisted, then in stack_test_waits until this is destroyed.
class Waiter {
 public:
  Waiter() {
    EXPECT_EQ(::sem_init(&end_, 0, 1), 0);
    thread_ = std::thread([this] {
      stack_test_waits(end_);  // GCC 12's ThreadSanitizer loses signals that come during a thread's first blocking call
      enlist_thread();
      tid_.store(::gettid());
      stack_test_waits(end_);
    });
    EXPECT_TRUE(becomes_true([this] { return tid_.load() != 0; }));
  }
  ~Waiter() { end(); }

  pid_t tid() const { return tid_.load(); }
  void end() {
    ::sem_post(&end_);
    if (thread_.joinable()) thread_.join();
  }

 private:
  sem_t end_;
  std::atomic<pid_t> tid_{0};
  std::thread thread_;
};

struct Capture : testing::Test {
  Capture() { prepare(); }
};

TEST_F(Capture, a_thread_that_waits_is_found_in_the_function_that_waits) {
  const Waiter waiter;
  std::string text;
  EXPECT_TRUE(becomes_true([&] {
    return (text = text_of(frames_of(waiter.tid()))).find("stack_test_waits") != std::string::npos;
  })) << text;
  EXPECT_THAT(text, HasSubstr("stack_test_waits at "));
  EXPECT_THAT(text, HasSubstr("capture_test.cpp:"));
  EXPECT_THAT(text, Not(HasSubstr("on_ask")));
  EXPECT_EQ(frames_of(waiter.tid()).thread, waiter.tid());
}

TEST_F(Capture, a_thread_that_computes_is_found_in_the_function_that_computes) {
  std::atomic<pid_t> tid{0};
  std::atomic<bool> stop{false};
  std::thread thread([&] {
    enlist_thread();
    tid.store(::gettid());
    stack_test_spins(stop);
  });
  EXPECT_TRUE(becomes_true([&] { return tid.load() != 0; }));
  std::string text;
  EXPECT_TRUE(becomes_true([&] {
    return (text = text_of(frames_of(tid.load()))).find("stack_test_spins") != std::string::npos;
  })) << text;
  stop.store(true);
  thread.join();
}

TEST_F(Capture, a_thread_may_ask_itself) {
  enlist_thread();
  const Frames frames = frames_of(::gettid());
  EXPECT_GT(frames.count, 3);
  EXPECT_THAT(text_of(frames), HasSubstr("a_thread_may_ask_itself"));
}

TEST_F(Capture, several_threads_answer_for_themselves) {
  std::deque<Waiter> waiters(8);
  for (const Waiter& waiter : waiters) EXPECT_TRUE(ask(waiter.tid()));
  for (const Waiter& waiter : waiters) {
    std::optional<Frames> frames;
    ASSERT_TRUE(becomes_true([&] { return (frames = answer(waiter.tid())).has_value(); }));
    EXPECT_EQ(frames->thread, waiter.tid());
    EXPECT_GT(frames->count, 0);
  }
}

TEST_F(Capture, there_is_one_answer_for_a_question) {
  const Waiter waiter;
  EXPECT_FALSE(answer(waiter.tid()));
  frames_of(waiter.tid());
  EXPECT_FALSE(answer(waiter.tid()));
  frames_of(waiter.tid());
}

TEST_F(Capture, who_is_not_enlisted_cannot_be_asked) {
  EXPECT_FALSE(ask(0));
  EXPECT_FALSE(ask(-1));
  EXPECT_FALSE(ask(1));
  EXPECT_FALSE(answer(0));
  EXPECT_FALSE(answer(1));
}

TEST_F(Capture, who_has_ended_cannot_be_asked) {
  Waiter waiter;
  frames_of(waiter.tid());
  EXPECT_TRUE(ask(waiter.tid()));
  waiter.end();
  EXPECT_FALSE(ask(waiter.tid()));
  EXPECT_FALSE(answer(waiter.tid()));
}

TEST_F(Capture, ended_threads_leave_room_for_others) {
  for (int i = 0; i < 1500; ++i) std::thread([] { enlist_thread(); }).join();
  const Waiter waiter;
  frames_of(waiter.tid());
}

TEST_F(Capture, enlisted_threads_are_known_until_they_end) {
  using testing::Contains;
  pid_t thread = 0;
  {
    Waiter waiter;
    thread = waiter.tid();
    EXPECT_THAT(enlisted_threads(), Contains(thread));
  }
  EXPECT_THAT(enlisted_threads(), Not(Contains(thread)));
}

TEST_F(Capture, nobody_is_asked_by_a_signal_that_others_handle) {
  const Waiter waiter;
  const int number = SIGRTMAX - 1;
  struct sigaction theirs {};
  struct sigaction ours {};
  for (const auto handler : {SIG_DFL, SIG_IGN}) {
    theirs.sa_handler = handler;
    ASSERT_EQ(::sigaction(number, &theirs, &ours), 0);
    EXPECT_FALSE(ask(waiter.tid()));
    ASSERT_EQ(::sigaction(number, &ours, nullptr), 0);
  }
  frames_of(waiter.tid());
}

TEST_F(Capture, the_asking_signal_sent_by_others_does_nothing) {
  const Waiter waiter;
  ::tgkill(::getpid(), waiter.tid(), SIGRTMAX - 1);
  frames_of(waiter.tid());
  EXPECT_FALSE(answer(waiter.tid()));
}

TEST_F(Capture, a_thread_that_blocks_all_signals_can_be_asked_once_it_is_enlisted) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const Waiter waiter;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  frames_of(waiter.tid());
}

TEST_F(Capture, the_alternate_stack_is_gone_with_the_thread_and_the_one_before_is_back) {
  stack_t before{};
  stack_t during{};
  stack_t after{};
  static thread_local stack_t* last = nullptr;
  struct AtEnd {
    ~AtEnd() { ::sigaltstack(nullptr, last); }
  };
  std::thread([&] {
    last = &after;
    thread_local AtEnd at_end;  // made before, so destroyed after, what enlist_thread keeps
    static_cast<void>(at_end);
    ::sigaltstack(nullptr, &before);
    enlist_thread();
    ::sigaltstack(nullptr, &during);
  }).join();
  EXPECT_EQ(during.ss_flags & SS_DISABLE, 0);
  EXPECT_NE(during.ss_sp, before.ss_sp);
  EXPECT_EQ(after.ss_sp, before.ss_sp);
}

}  // namespace
}  // namespace serval::stack
