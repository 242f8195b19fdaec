#include <poll.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <iostream>
#include <set>
#include <string>

#include "base/exit_code.hpp"
#include "cli/bodies.hpp"
#include "os/process_title.hpp"
#include "os/process_tree.hpp"

namespace serval::cli {
namespace {

constexpr int kRoundMs = 20;
/// What cannot be killed by then waits for a device.
constexpr int kMaxRounds = 250;

/// What is left of these programs, whoever its parent is by now.
bool kill_what_is_left(const std::set<pid_t>& leaders) {
  const os::ProcessTree tree = os::ProcessTree::read();
  bool any = false;
  for (const pid_t leader : leaders) {
    for (const pid_t pid : tree.remains_of(leader)) {
      ::kill(pid, SIGKILL);
      any = true;
    }
  }
  return any;
}

}  // namespace

/// Lines "+PID" and "-PID" on standard input; its end is the master's. With no program left then, the master has
/// stopped.
int guard(const Invocation&) {
  os::set_title("serval: guard");
  for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGHUP}) ::signal(number, SIG_IGN);  // it goes with the master
  std::set<pid_t> leaders;
  for (std::string line; std::getline(std::cin, line);) {
    pid_t pid = 0;
    if (line.size() < 2 || std::from_chars(line.data() + 1, line.data() + line.size(), pid).ec != std::errc()) continue;
    line.front() == '+' ? static_cast<void>(leaders.insert(pid)) : static_cast<void>(leaders.erase(pid));
  }
  for (int round = 0; round < kMaxRounds && !leaders.empty() && kill_what_is_left(leaders); ++round)
    ::poll(nullptr, 0, kRoundMs);
  return exit_code::ok;
}

}  // namespace serval::cli
