#include "master/leftovers.hpp"

#include <csignal>
#include <utility>
#include <vector>

#include "os/process_tree.hpp"

namespace serval::master {
namespace {

constexpr auto kRoundInterval = std::chrono::milliseconds(20);

}  // namespace

/// The first round comes from the loop: what is told is an event, and one is being handled.
void Leftovers::perform(const supervisor::EndLeftovers& action) {
  const bool idle = jobs_.empty();
  Job& job = jobs_[action.id];
  job.leader = action.pid;
  job.deadline = action.deadline;
  if (idle) {
    timer_.expires_after(std::chrono::milliseconds(0));
    again();
  }
}

void Leftovers::give_up() {
  jobs_.clear();
  timer_.cancel();
}

void Leftovers::again() {
  timer_.async_wait([this](const auto& error) {
    if (!error) make_round();
  });
}

void Leftovers::make_round() {
  std::vector<std::pair<int, pid_t>> cleared;
  for (auto& [id, job] : jobs_) {
    if (!press(job)) cleared.emplace_back(id, job.leader);
  }
  for (const auto& [id, leader] : cleared) jobs_.erase(id);
  const bool over = jobs_.empty();  // then a job that comes from here on begins a round of its own
  for (const auto& [id, leader] : cleared) on_cleared_(id, leader);
  if (over) return;
  timer_.expires_after(kRoundInterval);
  again();
}

bool Leftovers::press(Job& job) {
  if (os::left_behind(job.leader).empty()) return false;
  const bool over = Clock::now() >= job.deadline;
  if (!over && std::exchange(job.told, true)) return true;
  const std::vector<pid_t> left = os::ProcessTree::read().all_of(job.leader);
  for (const pid_t pid : left) {
    ::kill(pid, over ? SIGKILL : SIGTERM);
    if (!over) ::kill(pid, SIGCONT);
  }
  return true;
}

}  // namespace serval::master
