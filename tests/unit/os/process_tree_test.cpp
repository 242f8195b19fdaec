#include "os/process_tree.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "os/fork.hpp"
#include "os/spawn.hpp"
#include "os/wait.hpp"
#include "os/processes.hpp"

namespace serval::os {
namespace {

using namespace std::chrono_literals;

Spawn shell(const std::string& script) {
  Spawn what;
  what.program = "/bin/sh";
  what.arguments = {"-c", script};
  what.traits.own_session = true;
  what.traits.pid_variables = {kExecPidVariable};
  return what;
}

template <class Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

class ProcessTreeTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(become_subreaper().has_value()); }
  void TearDown() override {
    for (const pid_t pid : ProcessTree::read().all_of(leader)) ::kill(pid, SIGKILL);
    comes_true([] {
      while (reap_one()) {
      }
      return own_children().empty();
    });
  }
  void start(const std::string& script) {
    Spawn what = shell(script);
    what.environment = std::vector<std::string>{"PATH=/bin:/usr/bin"};
    const auto pid = spawn(what);
    ASSERT_TRUE(pid.has_value()) << pid.error();
    leader = *pid;
  }
  pid_t leader = 0;
};

TEST_F(ProcessTreeTest, HasTheLeaderAndAllBelowIt) {
  start("sleep 100 & sh -c 'sleep 100 & wait' & wait");
  EXPECT_TRUE(comes_true([&] { return ProcessTree::read().all_of(leader).size() == 4; }));
  EXPECT_THAT(left_behind(leader), testing::IsEmpty());
}

TEST_F(ProcessTreeTest, KnowsWhatAnEndedLeaderHasLeftBehind) {
  start("sleep 100 & setsid sh -c 'sleep 100; true' & exit 0");
  ASSERT_TRUE(wait_for(leader).has_value());
  // The one in its session, and the one that made a session of its own, which the variable names.
  EXPECT_TRUE(comes_true([&] { return left_behind(leader).size() == 2; }));
  EXPECT_TRUE(comes_true([&] { return ProcessTree::read().all_of(leader).size() == 3; }));
}

TEST_F(ProcessTreeTest, AnotherProgramsProcessesAreNotItsOwn) {
  start("sleep 100");
  Spawn other = shell("sleep 100 & exit 0");
  other.environment = std::vector<std::string>{"PATH=/bin:/usr/bin"};
  const auto pid = spawn(other);
  ASSERT_TRUE(pid.has_value());
  ASSERT_TRUE(wait_for(*pid).has_value());
  EXPECT_TRUE(comes_true([&] { return left_behind(*pid).size() == 1; }));
  EXPECT_THAT(left_behind(leader), testing::IsEmpty());
  for (const pid_t left : left_behind(*pid)) ::kill(left, SIGKILL);
}

TEST_F(ProcessTreeTest, ASpawnedOneHasItsTraits) {
  Spawn what = shell("umask; ulimit -n; echo $SERVAL_EXEC_PID $$; ps -o sid= -p $$");
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  what.environment = std::vector<std::string>{"PATH=/bin:/usr/bin"};
  what.fds = {{ends[1], 1}};
  what.traits.umask = 027;
  what.traits.limits = {{7 /* RLIMIT_NOFILE */, 99}};
  const auto pid = spawn(what);
  ASSERT_TRUE(pid.has_value()) << pid.error();
  ::close(ends[1]);
  std::string text;
  char piece[256];
  for (ssize_t size = 0; (size = ::read(ends[0], piece, sizeof piece)) > 0;)
    text.append(piece, static_cast<std::size_t>(size));
  ::close(ends[0]);
  const std::string own = std::to_string(*pid);
  EXPECT_THAT(text, testing::StartsWith("0027\n99\n" + own + " " + own + "\n"));
  EXPECT_THAT(text, testing::EndsWith(own + "\n")) << "it leads its session";
}

}  // namespace
}  // namespace serval::os
