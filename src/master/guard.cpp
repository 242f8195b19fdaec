#include "master/guard.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/errno_text.hpp"
#include "base/log.hpp"
#include "os/spawn.hpp"
#include "os/spawned.hpp"

namespace serval::master {
namespace {

/// One that does not even live for so long is not started again before the next program is.
constexpr std::chrono::seconds kStable{1};

}  // namespace

void Guard::start() {
  if (pid_ != 0) return;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    log::warning("no guard for programs: they may leave processes behind if this one is killed",
                 {{"why", errno_text()}});
    return;
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
    return;
  }
  pid_ = *pid;
  started_ = Clock::now();
  await();
  for (const pid_t leader : leaders_) say('+', leader);
}

void Guard::await() {
  reaper_.await(pid_, [this](const os::ChildExit& exit) {
    pid_ = 0;
    const bool wanted = pipe_.get() >= 0;
    pipe_.reset();
    if (!wanted || leaders_.empty()) return;
    log::warning("the guard of programs has ended", {{"how", exit.text()}});
    if (Clock::now() - started_ >= kStable) start();
  });
}

/// A line is written whole or not at all (pipe(7)), and the guard reads at once.
void Guard::say(char what, pid_t leader) {
  const std::string line = what + std::to_string(leader) + "\n";
  if (pipe_ && ::write(pipe_.get(), line.data(), line.size()) < 0)
    log::warning("the guard of programs takes no messages", {{"why", errno_text()}});
}

void Guard::add(pid_t leader) {
  leaders_.insert(leader);
  if (pid_ != 0) return say('+', leader);
  start();
}

void Guard::remove(pid_t leader) {
  leaders_.erase(leader);
  if (pid_ != 0) say('-', leader);
}

void Guard::end() { pipe_.reset(); }

void Guard::record(Handover& handover) const {
  handover.guard_pid = pid_;
  handover.guard_fd = pipe_ ? pipe_.get() : -1;
}

void Guard::resume(const Handover& handover) {
  for (const ProgramProcessRecord& program : handover.programs) leaders_.insert(program.pid);
  pid_ = handover.guard_pid;
  pipe_.reset(handover.guard_fd);
  if (pid_ == 0) return;
  os::remember_spawned(pid_);
  await();
}

}  // namespace serval::master
