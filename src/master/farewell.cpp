#include "master/farewell.hpp"

#include <csignal>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "os/processes.hpp"
#include "os/wait.hpp"

namespace serval::master {
namespace {

constexpr auto kRoundInterval = std::chrono::milliseconds(20);
constexpr int kQuietRounds = 5;      // what we have killed ourselves is gone by then
constexpr int kLeftoverRounds = 50;  // so one second from TERM to KILL
constexpr int kStackRounds = 100;    // two seconds for the names of the last stacks

}  // namespace

Farewell::Farewell(boost::asio::io_context& io, StackNames& stacks, std::function<void()> reap)
    : io_(io), stacks_(stacks), reap_(std::move(reap)), timer_(io) {}

void Farewell::begin(int exit_code) {
  exit_code_ = exit_code;
  reap_();
  await_stacks();
}

void Farewell::again(void (Farewell::*step)()) {
  timer_.expires_after(kRoundInterval);
  timer_.async_wait([this, step](const auto& error) {
    if (error) return;
    reap_();
    (this->*step)();
  });
}

/// Why the app crashed is wanted most of all when that is the end.
void Farewell::await_stacks() {
  if (stacks_.busy() && ++stack_rounds_ <= kStackRounds) return again(&Farewell::await_stacks);
  stacks_.give_up();
  end_leftovers();
}

/// What the app started and left behind has become our child. It is asked to end, then made to: nothing outlives the
/// server.
void Farewell::end_leftovers() {
  const std::vector<pid_t> children = os::own_children();
  // One round at least: the answer to the command that stops the server may still be on its way.
  if (children.empty() && quiet_rounds_ > 0) return io_.stop();
  if (quiet_rounds_++ < kQuietRounds) return again(&Farewell::end_leftovers);
  if (leftover_rounds_ == 0)
    log::warning("ending processes that the app left behind", {{"processes", children.size()}});
  const bool first = leftover_rounds_++ == 0;
  const bool patient = leftover_rounds_ < kLeftoverRounds;
  for (const pid_t pid : children) {
    if (first || !patient) os::kill_child(pid, patient ? SIGTERM : SIGKILL);
  }
  again(&Farewell::end_leftovers);
}

}  // namespace serval::master
