#include "os/process_claim.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace serval::os {
namespace {

enum Answer { claimed, unclaimed };

Answer exit_code_of(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status) == claimed ? claimed : unclaimed;
}

[[noreturn]] void tell() { ::_exit(is_unclaimed_child() ? unclaimed : claimed); }

TEST(ProcessClaim, AChildIsNoneOfUsUntilItSaysSo) {
  EXPECT_FALSE(is_unclaimed_child());  // nothing has been claimed
  claim_process();
  EXPECT_FALSE(is_unclaimed_child());

  const pid_t child = ::fork();
  if (child == 0) tell();
  EXPECT_EQ(unclaimed, exit_code_of(child));

  const pid_t worker = ::fork();
  if (worker == 0) {
    claim_process();
    tell();
  }
  EXPECT_EQ(claimed, exit_code_of(worker));

  const pid_t grandchild_of_worker = ::fork();
  if (grandchild_of_worker == 0) {
    claim_process();
    const pid_t child_of_worker = ::fork();
    if (child_of_worker == 0) tell();
    ::_exit(exit_code_of(child_of_worker));
  }
  EXPECT_EQ(unclaimed, exit_code_of(grandchild_of_worker));
  EXPECT_FALSE(is_unclaimed_child());
}

/// What neither fork(3) nor its handlers see.
TEST(ProcessClaim, ABareCloneIsSeenToo) {
  claim_process();
  const long child = ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) tell();
  EXPECT_EQ(unclaimed, exit_code_of(static_cast<pid_t>(child)));
}

}  // namespace
}  // namespace serval::os
