#include "master/upgrades.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "base/errno_text.hpp"
#include "base/log.hpp"
#include "master/adoption_proof.hpp"
#include "os/pipe.hpp"
#include "os/spawn.hpp"

namespace serval::master {
namespace {

constexpr auto kCheckTimeout = std::chrono::seconds(20);
constexpr std::size_t kMaxText = 4096;

/// What it said before its end; the rest of a longer text is lost.
std::string text_in(int fd) {
  std::string text(kMaxText, '\0');
  const ssize_t size = ::read(fd, text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

}  // namespace

// --- the new program, before

void Upgrades::perform(const supervisor::CheckUpgrade&) {
  successor_.reset();
  if (const auto started = start_check(); !started) hooks_.tell(supervisor::UpgradeChecked{false, started.error()});
}

/// It gets the scoreboard, which it tries to map, and no other descriptor of ours.
Result<void> Upgrades::start_check() {
  auto program = os::ProgramFile::open(arguments_.front());
  if (!program) return Error{program.error()};
  Handover told = hooks_.hand_over();
  told.nonce = make_nonce();
  const auto handover = write_handover(told);
  if (!handover) return Error{handover.error()};
  const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  auto proof = os::make_pipe();
  auto complaint = os::make_pipe();
  if (!nothing || !proof || !complaint) return Error{"cannot start the check: " + errno_text()};

  const int fd = handover->get();
  os::Spawn what;
  what.program = program->executable();
  what.called = program->path();
  what.arguments = {"adopt", std::to_string(fd), "check"};
  what.fds = {{nothing.get(), 0},
              {proof->write_end.get(), 1},
              {complaint->write_end.get(), 2},
              {fd, fd},
              {told.scoreboard_fd, told.scoreboard_fd}};
  const auto pid = os::spawn(what);
  if (!pid) return Error{pid.error()};
  check_.emplace(*pid, std::move(*program), told.nonce, std::move(proof->read_end), std::move(complaint->read_end),
                 boost::asio::steady_timer(io_, kCheckTimeout));
  reaper_.await(*pid, [this](const os::ChildExit& exit) { check_ended(exit); });
  check_->timer.async_wait([this, pid = *pid](const auto& error) {
    if (error || !check_ || check_->pid != pid) return;
    check_->timed_out = true;
    os::kill_child(pid, SIGKILL);
  });
  return {};
}

void Upgrades::check_ended(const os::ChildExit& exit) {
  if (!check_ || check_->pid != exit.pid) return;
  auto successor = judge(exit);
  check_.reset();
  if (!successor) return hooks_.tell(supervisor::UpgradeChecked{false, successor.error()});
  successor_ = std::move(*successor);
  hooks_.tell(supervisor::UpgradeChecked{true, ""});
}

Result<Upgrades::Successor> Upgrades::judge(const os::ChildExit& exit) {
  const std::string path = check_->program.path();
  if (!exit.clean()) {
    FailedCheck failed{.program = path, .end = exit.text(), .output = text_in(check_->error_fd.get())};
    if (check_->timed_out) failed.patience = kCheckTimeout;
    return Error{why_not(failed)};
  }
  const auto version = version_in_proof(text_in(check_->proof_fd.get()), kHandoverProtocol, check_->nonce);
  if (!version) return Error{path + ": " + version.error()};
  return Successor{std::move(check_->program), *version};
}

// --- the exec

Result<void> Upgrades::exec_successor() {
  if (!successor_) return Error{"no program has been checked"};
  const Successor next = std::move(*successor_);
  successor_.reset();
  if (!next.program.unchanged()) return Error{next.program.path() + " has been written to since it was checked"};
  const Handover handover = hooks_.hand_over();
  const auto written = write_handover(handover);
  if (!written) return Error{written.error()};
  hooks_.about_to_exec();
  log::info("upgrading", {{"program", next.program.path()}, {"from", SERVAL_VERSION}, {"to", next.version}});

  std::vector<int> fds = handover.fds();
  fds.push_back(written->get());
  const auto failed =
      os::become(next.program.executable(), {arguments_.front(), "adopt", std::to_string(written->get())}, fds);
  return Error{"cannot run " + next.program.path() + ": " + failed.error()};
}

}  // namespace serval::master
