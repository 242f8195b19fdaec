#include "os/spawn.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "os/fork.hpp"
#include "os/spawned.hpp"
#include "os/unique_fd.hpp"
#include "os/wait.hpp"
#include "os/processes.hpp"

namespace serval::os {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::pair<UniqueFd, UniqueFd> make_pipe() {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::string read_to_end(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(fd, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

/// Runs `script` in a shell with standard output at a pipe, and returns what it wrote.
struct Ran {
  std::string output;
  ChildExit exit;
};
Ran run_shell(const std::string& script, Spawn spawn_ = {}) {
  auto [read_end, write_end] = make_pipe();
  spawn_.program = "/bin/sh";
  spawn_.arguments = {"-c", script};
  spawn_.fds.emplace_back(write_end.get(), 1);
  const auto pid = spawn(spawn_);
  EXPECT_TRUE(pid) << pid.error();
  write_end.reset();
  Ran run;
  run.output = read_to_end(read_end.get());
  if (pid) run.exit = wait_for(*pid).value_or(ChildExit{});
  return run;
}

TEST(Spawn, starts_a_program_with_its_arguments_and_leaves_the_reaping_to_us) {
  const auto pid = spawn({"/bin/sh", {"-c", "exit 42"}, {}, {}, {}});
  ASSERT_TRUE(pid) << pid.error();
  const auto exit = wait_for(*pid);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->text(), "exit code 42");
  EXPECT_THAT(own_children(), IsEmpty());
}

TEST(Spawn, what_was_started_is_known_until_it_is_reaped) {
  const auto pid = spawn({"/bin/sh", {"-c", "exit 0"}, {}, {}, {}});
  ASSERT_TRUE(pid) << pid.error();
  EXPECT_TRUE(is_spawned(*pid));
  wait_for(*pid);
  EXPECT_FALSE(is_spawned(*pid));
}

TEST(Spawn, a_program_that_cannot_start_is_an_error_and_no_child) {
  const auto pid = spawn({"/nonexistent/program", {}, {}, {}, {}});
  ASSERT_FALSE(pid);
  EXPECT_EQ(pid.error(), "cannot start /nonexistent/program: No such file or directory");
  EXPECT_THAT(own_children(), IsEmpty());
  EXPECT_THAT(spawn({"/dev/null", {}, {}, {}, {}}).error(), HasSubstr("Permission denied"));
  EXPECT_THAT(spawn({"/bin/true", {}, {}, {}, "/nonexistent"}).error(), HasSubstr("No such file or directory"));
  EXPECT_THAT(spawn({"/bin/true", {}, {{1000, 3}}, {}, {}}).error(), HasSubstr("descriptor 1000"));
  EXPECT_THAT(own_children(), IsEmpty());
}

TEST(Spawn, the_environment_is_what_is_given_and_else_ours) {
  ::setenv("SPAWN_TEST", "ours", 1);
  EXPECT_EQ(run_shell("echo $SPAWN_TEST").output, "ours\n");
  Spawn with;
  with.environment = {"SPAWN_TEST=theirs"};
  EXPECT_EQ(run_shell("echo $SPAWN_TEST$HOME", with).output, "theirs\n");
  with.environment = std::vector<std::string>{};
  EXPECT_EQ(run_shell("echo $SPAWN_TEST", with).output, "\n");
  ::unsetenv("SPAWN_TEST");
}

TEST(Spawn, the_working_directory) {
  Spawn in_root;
  in_root.working_directory = "/";
  EXPECT_EQ(run_shell("pwd", in_root).output, "/\n");
}

TEST(Spawn, the_child_has_the_mapped_descriptors_and_no_other) {
  auto [read_end, write_end] = make_pipe();
  const UniqueFd not_close_on_exec(::open("/dev/null", O_RDONLY));
  const UniqueFd high(::fcntl(not_close_on_exec.get(), F_DUPFD, 200));
  ASSERT_GE(high.get(), 200);
  Spawn with;
  with.fds = {{read_end.get(), 7}, {read_end.get(), 300}};
  // ls opens the folder that it lists as the lowest free number, 3.
  EXPECT_EQ(run_shell("exec ls /proc/self/fd", with).output, "0\n1\n2\n3\n300\n7\n");
}

TEST(Spawn, numbers_may_be_swapped) {
  auto [first_read, first_write] = make_pipe();
  auto [second_read, second_write] = make_pipe();
  const int a = first_write.get();
  const int b = second_write.get();
  Spawn swapped;
  swapped.fds = {{a, b}, {b, a}};
  const Ran run =
      run_shell("echo first >/dev/fd/" + std::to_string(b) + "; echo second >/dev/fd/" + std::to_string(a), swapped);
  EXPECT_TRUE(run.exit.clean());
  first_write.reset();
  second_write.reset();
  EXPECT_EQ(read_to_end(first_read.get()), "first\n");
  EXPECT_EQ(read_to_end(second_read.get()), "second\n");
}

TEST(Spawn, a_descriptor_may_keep_its_number) {
  auto [read_end, write_end] = make_pipe();
  Spawn same;
  same.fds = {{write_end.get(), write_end.get()}};
  EXPECT_TRUE(run_shell("echo here >/dev/fd/" + std::to_string(write_end.get()), same).exit.clean());
  write_end.reset();
  EXPECT_EQ(read_to_end(read_end.get()), "here\n");
}

TEST(Spawn, a_failing_exec_is_reported_whatever_number_a_descriptor_gets) {
  const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (int number = 3; number < 40; ++number) {  // one of them is where the launcher's own pipe would be
    const auto pid = spawn({"/nonexistent/program", {}, {{null.get(), number}}, {}, {}});
    ASSERT_FALSE(pid) << number;
    EXPECT_THAT(pid.error(), HasSubstr("No such file")) << number;
  }
  EXPECT_THAT(own_children(), IsEmpty());
}

TEST(Spawn, the_child_has_default_signals_and_nothing_blocked) {
  struct sigaction ignored {};
  struct sigaction before {};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGTERM, &ignored, &before);
  sigset_t mask;
  sigset_t mask_before;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, SIGTERM);
  ::sigaddset(&mask, SIGUSR1);
  ::sigprocmask(SIG_SETMASK, &mask, &mask_before);
  const Ran run = run_shell("grep -E '^Sig(Blk|Ign)' /proc/self/status; kill -TERM $$; echo still here");
  sigset_t mask_after;
  ::sigprocmask(SIG_SETMASK, &mask_before, &mask_after);
  ::sigaction(SIGTERM, &before, nullptr);
  EXPECT_EQ(run.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  EXPECT_TRUE(run.exit.signaled);
  EXPECT_EQ(run.exit.code, SIGTERM);
  EXPECT_EQ(::sigismember(&mask_after, SIGUSR1), 1);
  EXPECT_EQ(::sigismember(&mask_after, SIGINT), 0);
}

TEST(Spawn, nothing_stays_open_here) {
  const auto next_free = [] { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)).get(); };
  const int before = next_free();
  const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int with_null = next_free();
  const auto pid = spawn({"/bin/true", {}, {{null.get(), 50}}, {}, {}});
  ASSERT_TRUE(pid);
  EXPECT_EQ(next_free(), with_null);
  EXPECT_LT(::fcntl(50, F_GETFD), 0);
  EXPECT_LT(before, with_null);
  EXPECT_TRUE(wait_for(*pid)->clean());
}

TEST(Spawn, own_program_is_this_one) {
  const auto path = own_program();
  ASSERT_TRUE(path);
  EXPECT_TRUE(std::filesystem::equivalent(*path, "/proc/self/exe"));
}

}  // namespace
}  // namespace serval::os
