#include "os/own_fds.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "os/fd_watch.hpp"

namespace serval::os {
namespace {

UniqueFd any() { return UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)); }

TEST(OwnFds, sit_where_nothing_else_comes_to) {
  const UniqueFd own = among_own(any());
  EXPECT_GE(own.get(), first_own_fd());
  EXPECT_EQ(::fcntl(own.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(among_own(STDERR_FILENO), STDERR_FILENO);
  EXPECT_FALSE(among_own(UniqueFd()));
}

TEST(OwnFds, a_library_that_does_not_let_one_choose_gets_high_ones) {
  const UniqueFd before = any();
  UniqueFd meanwhile;
  {
    const LowFdsTaken taken;
    meanwhile.reset(::epoll_create1(EPOLL_CLOEXEC));
  }
  const UniqueFd after = any();
  EXPECT_GE(meanwhile.get(), first_own_fd());
  EXPECT_LT(after.get(), first_own_fd());
  const auto events = own_event_fds();
  EXPECT_NE(std::find(events.begin(), events.end(), meanwhile.get()), events.end());
}

TEST(OwnFds, standard_ones_that_are_closed_are_filled_and_kept_free_of_others) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(STDIN_FILENO);
    ::close(STDERR_FILENO);
    const UniqueFd moved = off_standard(any());
    const bool off = moved.get() > STDERR_FILENO;
    const bool said = !fill_standard_fds() && fill_standard_fds();
    struct stat in {}, err {}, null {};
    const bool filled = ::fstat(STDIN_FILENO, &in) == 0 && ::fstat(STDERR_FILENO, &err) == 0 &&
                        ::stat("/dev/null", &null) == 0 && in.st_rdev == null.st_rdev && err.st_rdev == null.st_rdev;
    ::_exit(off && said && filled ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(OwnFds, the_limit_is_raised_to_the_hard_one) {
  const pid_t child = ::fork();
  if (child == 0) {
    rlimit limit{64, 512};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    const FdLimit raised = raise_fd_limit();
    ::_exit(raised.before == 64 && raised.now == 512 && fd_limit() == 512 ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(FdWatch, tells_what_has_been_closed_or_replaced) {
  const UniqueFd first = any();
  UniqueFd second(::open("/", O_PATH | O_CLOEXEC));
  const int number = second.get();
  FdWatch watch;
  watch.add(first.get(), "first");
  watch.add(number, "second");
  watch.add(-1, "none");
  EXPECT_FALSE(watch.lost());
  ::dup3(first.get(), number, O_CLOEXEC);
  auto lost = watch.lost();
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->fd, number);
  EXPECT_EQ(lost->name, "second");
  EXPECT_FALSE(lost->closed);
  watch.change([] {});
  EXPECT_FALSE(watch.lost()) << "it was meant";
  second.reset();
  lost = watch.lost();
  ASSERT_TRUE(lost);
  EXPECT_TRUE(lost->closed);
  watch.stop();
  EXPECT_FALSE(watch.lost());
}

}  // namespace
}  // namespace serval::os
