#include "os/fork.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "os/unique_fd.hpp"
#include "os/wait.hpp"
#include "os/processes.hpp"

namespace serval::os {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;

std::pair<UniqueFd, UniqueFd> make_pipe() {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// Each test's process plays the master, as the nearest subreaper.
class ForkTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(become_subreaper()); }
  void TearDown() override {
    EXPECT_THAT(own_children(), IsEmpty());
    ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  }
};

TEST_F(ForkTest, the_new_process_is_the_subreapers_child_and_its_result_the_exit_code) {
  const auto pid = fork_sibling([] { return 42; });
  ASSERT_TRUE(pid) << pid.error();
  const auto exit = wait_for(*pid);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->code, 42);
}

TEST_F(ForkTest, a_process_forked_by_a_child_becomes_its_sibling) {
  const auto [read_end, write_end] = make_pipe();
  const pid_t mold = ::fork();
  ASSERT_GE(mold, 0);
  if (mold == 0) {
    const auto worker = fork_sibling([] { return 7; });
    const pid_t pid = worker ? *worker : -1;
    ::_exit(::write(write_end.get(), &pid, sizeof pid) == sizeof pid && own_children().empty() ? 0 : 1);
  }
  pid_t worker = -1;
  ASSERT_EQ(::read(read_end.get(), &worker, sizeof worker), static_cast<ssize_t>(sizeof worker));
  EXPECT_TRUE(wait_for(mold)->clean());
  EXPECT_THAT(own_children(), testing::ElementsAre(worker));
  const auto exit = wait_for(worker);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->code, 7);
}

TEST_F(ForkTest, own_children_lists_the_living) {
  auto [read_end, write_end] = make_pipe();
  const auto pid = fork_sibling([&read = read_end, &write = write_end] {
    write.reset();
    char byte = 0;
    return static_cast<int>(::read(read.get(), &byte, 1));
  });
  ASSERT_TRUE(pid);
  EXPECT_THAT(own_children(), Contains(*pid));
  write_end.reset();
  EXPECT_TRUE(wait_for(*pid)->clean());
  EXPECT_THAT(own_children(), Not(Contains(*pid)));
}

TEST_F(ForkTest, neither_process_runs_atexit_handlers) {
  const auto [read_end, write_end] = make_pipe();
  const pid_t middle = ::fork();  // so that the handler is not this test program's
  ASSERT_GE(middle, 0);
  static int handler_fd = -1;
  if (middle == 0) {
    handler_fd = write_end.get();
    std::atexit([] {
      const pid_t pid = ::getpid();
      if (::write(handler_fd, &pid, sizeof pid) < 0) ::_exit(1);
    });
    const auto pid = fork_sibling([] { return 0; });
    ::_exit(pid ? 0 : 1);
  }
  EXPECT_TRUE(wait_for(middle)->clean());
  while (!own_children().empty()) reap_one();
  ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
  pid_t pid = 0;
  EXPECT_LT(::read(read_end.get(), &pid, sizeof pid), 0) << "an atexit handler ran in " << pid;
}

TEST_F(ForkTest, an_exception_is_our_own_fault) {
  const auto pid = fork_sibling([]() -> int { throw std::runtime_error("x"); });
  ASSERT_TRUE(pid);
  EXPECT_EQ(wait_for(*pid)->code, 70);
}

TEST_F(ForkTest, the_signal_mask_is_restored_on_both_sides) {
  sigset_t only_usr1;
  sigset_t before;
  ::sigemptyset(&only_usr1);
  ::sigaddset(&only_usr1, SIGUSR1);
  ::sigprocmask(SIG_SETMASK, &only_usr1, &before);
  const auto mask_is_kept = [] {
    sigset_t now;
    ::sigprocmask(SIG_SETMASK, nullptr, &now);
    return ::sigismember(&now, SIGUSR1) == 1 && ::sigismember(&now, SIGCHLD) == 0;
  };
  const auto pid = fork_sibling([&] { return mask_is_kept() ? 0 : 1; });
  EXPECT_TRUE(mask_is_kept());
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ASSERT_TRUE(pid);
  EXPECT_TRUE(wait_for(*pid)->clean());
}

pid_t g_reaped = 0;

TEST_F(ForkTest, a_handler_that_reaps_does_not_take_the_middle_process) {
  struct sigaction reaping {};
  struct sigaction before {};
  reaping.sa_handler = [](int) {
    int status = 0;
    const int error = errno;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) g_reaped = pid;
    errno = error;
  };
  ::sigaction(SIGCHLD, &reaping, &before);
  auto [read_end, write_end] = make_pipe();
  g_reaped = 0;
  const auto pid = fork_sibling([&read = read_end, &write = write_end] {
    write.reset();
    char byte = 0;
    return static_cast<int>(::read(read.get(), &byte, 1));
  });
  ASSERT_TRUE(pid) << pid.error();
  EXPECT_EQ(g_reaped, 0);
  ::sigaction(SIGCHLD, &before, nullptr);
  write_end.reset();
  EXPECT_TRUE(wait_for(*pid)->clean());
}

TEST_F(ForkTest, no_descriptor_is_left_open) {
  const auto next_free = [] { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)).get(); };
  const int before = next_free();
  const auto pid = fork_sibling([&] { return next_free() == before ? 0 : 1; });
  ASSERT_TRUE(pid);
  EXPECT_TRUE(wait_for(*pid)->clean());
  EXPECT_EQ(next_free(), before);
}

TEST_F(ForkTest, a_failing_fork_is_an_error_with_the_reason) {
  const auto [read_end, write_end] = make_pipe();
  const pid_t caller = ::fork();
  ASSERT_GE(caller, 0);
  if (caller == 0) {
    if (::setuid(65534) != 0 && ::getuid() == 0) ::_exit(1);  // the limit does not bind root
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_NPROC, &none);
    const auto pid = fork_sibling([] { return 0; });
    const std::string said = pid ? "" : pid.error();
    ::_exit(::write(write_end.get(), said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  EXPECT_TRUE(wait_for(caller)->clean());
  char text[512] = {};
  EXPECT_GT(::read(read_end.get(), text, sizeof text - 1), 0);
  EXPECT_THAT(text, testing::StartsWith("cannot fork: Resource temporarily unavailable"));
}

}  // namespace
}  // namespace serval::os
