#include "os/restraints.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace serval::os {
namespace {

/// In a process that is thrown away.
template <class Test>
int in_a_child(Test test) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(test() ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(Restraints, AreTakenByTheProcessItself) {
  EXPECT_EQ(in_a_child([] {
              rlimit core = {};
              rlimit files = {};
              if (!take_limits({{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 50}})) return false;
              ::getrlimit(RLIMIT_CORE, &core);
              ::getrlimit(RLIMIT_NOFILE, &files);
              return core.rlim_max == 0 && files.rlim_cur == 50 && files.rlim_max == 50;
            }),
            0);
  EXPECT_EQ(in_a_child([] {
              const int before = ::getpriority(PRIO_PROCESS, 0);
              return add_nice(0) && add_nice(2) && ::getpriority(PRIO_PROCESS, 0) == before + 2;
            }),
            0);
}

TEST(Restraints, OneThatIsNotPossibleIsSaid) {
  EXPECT_EQ(in_a_child([] { return !take_limits({{-1, 0}}) && errno == EINVAL; }), 0);
}

}  // namespace
}  // namespace serval::os
