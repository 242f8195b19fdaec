#include "master/task_forks.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/errno_text.hpp"
#include "ipc/messages.hpp"

namespace serval::master {
namespace {

/// With those for workers it is still far below what the kernel lets a channel hold.
constexpr int kMaxUnanswered = 4;

}  // namespace

Result<void> TaskForks::ask(int generation, int id, const ipc::TaskOrder& order, std::vector<UniqueFd> fds) {
  if (children_.find_mold(generation) == nullptr) return Error{"the mold has just ended"};
  auto file = ipc::write_task_order(order);
  if (!file) return Error{file.error()};
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return Error{"cannot make a socket for a task: " + errno_text()};
  Pending pending{.generation = generation, .begin = UniqueFd(ends[0]), .fds = {}};
  pending.fds.push_back(std::move(*file));
  pending.fds.emplace_back(ends[1]);
  for (UniqueFd& fd : fds) pending.fds.push_back(std::move(fd));
  pending_.insert_or_assign(id, std::move(pending));
  children_.await_task(id);
  send(generation);
  return {};
}

void TaskForks::send(int generation) {
  MoldProcess* mold = children_.find_mold(generation);
  auto unanswered = std::count_if(pending_.begin(), pending_.end(), [generation](const auto& entry) {
    return entry.second.generation == generation && entry.second.asked;
  });
  std::vector<int> failed;
  for (auto& [id, pending] : pending_) {
    if (pending.generation != generation || pending.asked || unanswered >= kMaxUnanswered) continue;
    std::vector<int> fds;
    for (const UniqueFd& fd : pending.fds) fds.push_back(fd.get());
    const ipc::ForkTask fork{.id = static_cast<std::uint32_t>(id)};
    if (mold == nullptr || !mold->line->send(ipc::encode<ipc::ToMold>(fork), fds)) {
      failed.push_back(id);
      continue;
    }
    pending.asked = true;
    ++unanswered;
    pending.fds.clear();  // only the task's own copies: their end shows its end
  }
  for (const int id : failed) finish(id, Error{"the mold does not take messages any more"});
}

bool TaskForks::on_answer(int generation, std::uint32_t number, Result<pid_t> pid) {
  const int id = static_cast<int>(number);
  const auto pending = pending_.find(id);
  if (pending == pending_.end() || pending->second.generation != generation || !pending->second.asked) return false;
  if (pid) {
    if (const std::string why = children_.why_no_worker(*pid); !why.empty())
      pid = Error{"the mold says that the task has pid " + std::to_string(*pid) + ", but " + why};
  }
  finish(id, std::move(pid));
  send(generation);
  return true;
}

void TaskForks::on_mold_gone(int generation) {
  std::vector<int> gone;
  for (const auto& [id, pending] : pending_) {
    if (pending.generation == generation) gone.push_back(id);
  }
  for (const int id : gone) finish(id, Error{"the mold ended before it had forked the task"});
}

void TaskForks::finish(int id, Result<pid_t> pid) {
  UniqueFd begin = std::move(pending_.extract(id).mapped().begin);
  answer_(id, std::move(pid), std::move(begin));
  children_.task_answered(id);
}

}  // namespace serval::master
