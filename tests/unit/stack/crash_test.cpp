#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/sanitizers.hpp"
#include "os/unique_fd.hpp"
#include "os/wait.hpp"
#include "own_names.hpp"
#include "stack/capture.hpp"

// A sanitizer has handlers of its own by default, which end the process with an exit code: here crashes are left to
// ours. It asks for its options before instrumented code can run.
#define STACK_TEST_OPTIONS "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0"
extern "C" [[gnu::no_sanitize("thread")]] const char* __asan_default_options() { return STACK_TEST_OPTIONS; }
extern "C" [[gnu::no_sanitize("thread")]] const char* __tsan_default_options() { return STACK_TEST_OPTIONS; }

namespace {
// Volatile, so that nobody knows better what happens below.
volatile std::uintptr_t nowhere = 0;
volatile int depth_limit = 1 << 30;
}  // namespace

extern "C" {
// That it is undefined what these two do is the purpose.
[[gnu::noinline, gnu::no_sanitize("undefined")]] void stack_test_writes_to(std::uintptr_t address) {
  *reinterpret_cast<volatile char*>(address) = 1;
  asm volatile("");
}
[[gnu::noinline, gnu::no_sanitize("undefined")]] void stack_test_calls(std::uintptr_t address) {
  reinterpret_cast<void (*)()>(address)();
  asm volatile("");
}
[[gnu::noinline]] int stack_test_never_returns(int depth) {
  volatile char some[4096];  // few frames until the end: ThreadSanitizer keeps a stack of its own
  some[0] = static_cast<char>(depth);
  if (depth > depth_limit) return 0;
  return stack_test_never_returns(depth + 1) + some[0];
}
[[gnu::noinline]] void stack_test_aborts() { std::abort(); }
[[gnu::noinline]] void stack_test_waits_for_the_end() {
  for (;;) ::pause();
}
}

namespace serval::stack {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Of ThreadSanitizer.
constexpr const char* kBlocksSignals =
    "it blocks all signals during each handler, so that a crash in one is the kernel's";

int report_fd = -1;

void stack_test_say(std::string_view text) {
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) ::_exit(1);
}

void write_report(const Crash& crash) noexcept {
  if (::write(report_fd, &crash, sizeof crash) != sizeof crash) ::_exit(1);
}

struct Outcome {
  os::ChildExit exit;
  std::vector<Crash> reports;

  std::vector<std::string> names() const {
    return reports.empty() ? std::vector<std::string>{} : own_names(reports.front().frames);
  }
};

/// A child that reports its crash, from here to its end.
class Child {
 public:
  explicit Child(const std::function<void()>& body, CrashReport report = write_report) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    read_end_.reset(ends[0]);
    const UniqueFd write_end(ends[1]);
    pid_ = ::fork();
    if (pid_ != 0) return;
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    report_fd = write_end.get();
    prepare();
    enlist_thread();
    on_crash(report);
    body();
    ::_exit(0);
  }

  pid_t pid() const { return pid_; }
  Outcome end() {
    Outcome outcome;
    Crash crash;
    while (::read(read_end_.get(), &crash, sizeof crash) == sizeof crash) outcome.reports.push_back(crash);
    if (const auto exit = os::wait_for(pid_)) outcome.exit = *exit;
    return outcome;
  }

 private:
  UniqueFd read_end_;
  pid_t pid_ = -1;
};

TEST(Crash, a_bad_access_is_reported_with_its_place_and_kills_as_ever) {
  const Outcome outcome = Child([] { stack_test_writes_to(nowhere + 16); }).end();
  EXPECT_EQ(outcome.exit.text(), "SIGSEGV");
  ASSERT_EQ(outcome.reports.size(), 1U);
  EXPECT_EQ(outcome.reports[0].signal, SIGSEGV);
  EXPECT_EQ(outcome.reports[0].sender, 0);
  EXPECT_EQ(outcome.reports[0].fault_address, 16U);
  EXPECT_EQ(outcome.reports[0].frames.thread, outcome.exit.pid);
  EXPECT_THAT(outcome.names()[0], StartsWith("stack_test_writes_to at "));
  EXPECT_THAT(one_line(outcome.names()), HasSubstr("main"));
}

TEST(Crash, abort_is_reported_with_who_called_it) {
  const Outcome outcome = Child([] { stack_test_aborts(); }).end();
  EXPECT_EQ(outcome.exit.text(), "SIGABRT");
  ASSERT_EQ(outcome.reports.size(), 1U);
  EXPECT_EQ(outcome.reports[0].sender, 0);
  EXPECT_EQ(outcome.reports[0].fault_address, 0U);
  EXPECT_THAT(one_line(outcome.names()), HasSubstr("abort"));
  EXPECT_THAT(one_line(outcome.names()), HasSubstr("stack_test_aborts"));
}

TEST(Crash, a_stack_overflow_is_reported) {
  const Outcome outcome = Child([] { stack_test_never_returns(0); }).end();
  EXPECT_EQ(outcome.exit.text(), "SIGSEGV");
  ASSERT_EQ(outcome.reports.size(), 1U);
  EXPECT_EQ(outcome.reports[0].frames.count, kMaxFrames);
  EXPECT_THAT(outcome.names()[1], StartsWith("stack_test_never_returns at "));
}

TEST(Crash, a_stack_overflow_in_a_thread_is_reported_although_it_blocks_signals) {
  const Outcome outcome = Child([] {
                            sigset_t all;
                            ::sigfillset(&all);
                            ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
                            std::thread([] {
                              enlist_thread();
                              stack_test_never_returns(0);
                            }).join();
                          }).end();
  EXPECT_EQ(outcome.exit.text(), "SIGSEGV");
  ASSERT_EQ(outcome.reports.size(), 1U);
  EXPECT_NE(outcome.reports[0].frames.thread, outcome.exit.pid);
  EXPECT_THAT(outcome.names()[1], StartsWith("stack_test_never_returns at "));
}

TEST(Crash, a_call_through_a_null_or_wild_pointer_is_reported_with_who_called) {
  for (const std::uintptr_t address : {0U, 0x1234U}) {
    const Outcome outcome = Child([=] { stack_test_calls(nowhere + address); }).end();
    EXPECT_EQ(outcome.exit.text(), "SIGSEGV");
    ASSERT_EQ(outcome.reports.size(), 1U);
    EXPECT_EQ(outcome.reports[0].fault_address, address);
    EXPECT_EQ(outcome.reports[0].frames.address[0], address);
    ASSERT_GT(outcome.reports[0].frames.count, 2);
    EXPECT_THAT(outcome.names()[1], StartsWith("stack_test_calls at "));
    EXPECT_THAT(one_line(outcome.names()), HasSubstr("main"));
  }
}

TEST(Crash, a_signal_from_outside_is_reported_with_its_sender) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  Child child([&write_end] {
    if (::write(write_end.get(), "x", 1) == 1) stack_test_waits_for_the_end();
  });
  char byte = 0;
  ASSERT_EQ(::read(read_end.get(), &byte, 1), 1);  // its handlers are in place
  ::kill(child.pid(), SIGSYS);
  const Outcome outcome = child.end();
  EXPECT_EQ(outcome.exit.text(), "SIGSYS");
  ASSERT_EQ(outcome.reports.size(), 1U);
  EXPECT_EQ(outcome.reports[0].sender, ::getpid());
  EXPECT_EQ(outcome.reports[0].fault_address, 0U);
}

TEST(Crash, all_deadly_signals_are_reported_and_kill) {
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) {
    const Outcome outcome = Child([=] { ::raise(number); }).end();
    EXPECT_TRUE(outcome.exit.signaled);
    EXPECT_EQ(outcome.exit.code, number);
    ASSERT_EQ(outcome.reports.size(), 1U);
    EXPECT_EQ(outcome.reports[0].signal, number);
  }
}

TEST(Crash, of_threads_that_crash_at_once_one_is_reported) {
  const Outcome outcome = Child([] {
                            std::atomic<int> there{0};
                            std::vector<std::thread> threads;
                            for (int i = 0; i < 4; ++i) {
                              threads.emplace_back([&there] {
                                enlist_thread();
                                ++there;
                                while (there.load() < 4) {
                                }
                                stack_test_writes_to(nowhere);
                              });
                            }
                            for (std::thread& thread : threads) thread.join();
                          }).end();
  EXPECT_EQ(outcome.exit.text(), "SIGSEGV");
  EXPECT_EQ(outcome.reports.size(), 1U);
}

TEST(Crash, a_report_that_crashes_does_not_hide_the_signal) {
  if (kThreadSanitizer) GTEST_SKIP() << kBlocksSignals;
  const Outcome outcome = Child([] { stack_test_aborts(); },
                                [](const Crash& crash) noexcept {
                                  write_report(crash);
                                  stack_test_writes_to(nowhere);
                                })
                              .end();
  EXPECT_EQ(outcome.exit.text(), "SIGABRT");
  EXPECT_EQ(outcome.reports.size(), 1U);
}

#if defined(__x86_64__)
TEST(Crash, an_overwritten_stack_is_reported_with_what_is_known) {
  if (kThreadSanitizer) GTEST_SKIP() << kBlocksSignals;
  const Outcome outcome = Child([] { asm volatile("mov $0x10, %%rbp\n\tmov $0x10, %%rsp\n\tud2" ::: "memory"); }).end();
  EXPECT_EQ(outcome.exit.text(), "SIGILL");
  ASSERT_EQ(outcome.reports.size(), 1U);
  EXPECT_EQ(outcome.reports[0].signal, SIGILL);
  EXPECT_GE(outcome.reports[0].frames.count, 1);
  EXPECT_THAT(outcome.names()[0], HasSubstr("crash_test.cpp:"));
}
#endif

/// Which dies as Python's does: with the default action back in place, by the same signal.
void reporter_of_the_app(int number) {
  stack_test_say("the app's own reporter\n");
  ::signal(number, SIG_DFL);
  ::raise(number);
}

void returning_reporter(int, siginfo_t* info, void* context) {
  if (info != nullptr && context != nullptr) stack_test_say("the app's own reporter\n");
}

TEST(Crash, a_reporter_that_the_app_has_set_before_has_its_turn_after_ours) {
  if (kThreadSanitizer) GTEST_SKIP() << kBlocksSignals;
  struct sigaction plain {};
  plain.sa_handler = reporter_of_the_app;
  struct sigaction with_info {};
  with_info.sa_sigaction = returning_reporter;
  with_info.sa_flags = SA_SIGINFO;
  for (const struct sigaction& theirs : {plain, with_info}) {
    struct sigaction before {};
    ::sigaction(SIGSEGV, &theirs, &before);
    testing::internal::CaptureStderr();
    const Outcome outcome = Child([] { stack_test_writes_to(nowhere); }).end();
    const std::string said = testing::internal::GetCapturedStderr();
    ::sigaction(SIGSEGV, &before, nullptr);
    EXPECT_EQ(outcome.exit.text(), "SIGSEGV");
    EXPECT_EQ(outcome.reports.size(), 1U);
    EXPECT_EQ(said, "the app's own reporter\n");
  }
}

TEST(Crash, a_process_that_the_app_forked_is_not_reported) {
  const Outcome outcome = Child([] {
                            const pid_t pid = ::fork();
                            if (pid == 0) stack_test_writes_to(nowhere);
                            const auto exit = os::wait_for(pid);
                            ::_exit(exit && exit->text() == "SIGSEGV" ? 0 : 1);
                          }).end();
  EXPECT_TRUE(outcome.exit.clean());
  EXPECT_TRUE(outcome.reports.empty());
}

}  // namespace
}  // namespace serval::stack
