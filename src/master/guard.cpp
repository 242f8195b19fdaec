#include "master/guard.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/errno_text.hpp"
#include "base/log.hpp"
#include "os/spawn.hpp"
#include "os/spawned.hpp"

namespace serval::master {

/// One that has ended is started anew for the next program; it does not know of those before.
bool Guard::start() {
  if (pid_ != 0) return true;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    log::warning("no guard for programs: they may leave processes behind if this one is killed",
                 {{"why", errno_text()}});
    return false;
  }
  const UniqueFd read_end(ends[0]);
  pipe_.reset(ends[1]);
  ::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
  os::Spawn what;
  what.program = os::kOwnProgram;
  what.arguments = {"guard"};
  what.fds = {{read_end.get(), 0}};
  what.called = "the guard of programs";
  what.traits.own_session = true;  // what ends our group leaves it alone
  const auto pid = os::spawn(what);
  if (!pid) {
    log::warning("no guard for programs: they may leave processes behind if this one is killed",
                 {{"why", pid.error()}});
    pipe_.reset();
    return false;
  }
  pid_ = *pid;
  reaper_.await(pid_, [this](const os::ChildExit&) {
    pid_ = 0;
    pipe_.reset();
  });
  return true;
}

/// A line is written whole or not at all (pipe(7)), and the guard reads at once.
void Guard::say(char what, pid_t leader) {
  const std::string line = what + std::to_string(leader) + "\n";
  if (pipe_ && ::write(pipe_.get(), line.data(), line.size()) < 0)
    log::warning("the guard of programs takes no messages", {{"why", errno_text()}});
}

void Guard::add(pid_t leader) {
  if (start()) say('+', leader);
}

void Guard::remove(pid_t leader) {
  if (pid_ != 0) say('-', leader);
}

void Guard::end() { pipe_.reset(); }

void Guard::record(Handover& handover) const {
  handover.guard_pid = pid_;
  handover.guard_fd = pipe_ ? pipe_.get() : -1;
}

void Guard::resume(const Handover& handover) {
  pid_ = handover.guard_pid;
  pipe_.reset(handover.guard_fd);
  if (pid_ == 0) return;
  os::remember_spawned(pid_);
  reaper_.await(pid_, [this](const os::ChildExit&) {
    pid_ = 0;
    pipe_.reset();
  });
}

}  // namespace serval::master
