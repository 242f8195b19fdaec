#include "master/orders.hpp"

#include <cerrno>

namespace serval::master {
namespace {

/// Why a message could not be sent: the other end, or ours, is closed.
bool hung_up(int error) { return error == EPIPE || error == ECONNRESET || error == EBADF; }

}  // namespace

/// A mold whose channel ends leaves.
void Orders::perform(const supervisor::StopMold& action) {
  if (MoldProcess* mold = children_.find_mold(action.generation)) mold->line->close();
}

void Orders::perform(const supervisor::ReopenMold& action) {
  MoldProcess* mold = children_.find_mold(action.generation);
  if (mold == nullptr) return;
  if (mold->line->send(ipc::encode<ipc::ToMold>(ipc::Reopen{}), generations_.at(action.generation).logs->files()))
    return;
  if (!hung_up(errno)) tell_(supervisor::MoldDeaf{action.generation});
}

/// That the other end is closed is no news: the worker's exit follows.
void Orders::send(int slot, const ipc::ToWorker& message, const std::vector<int>& fds) {
  WorkerProcess* worker = children_.find_worker(slot);
  if (worker == nullptr || worker->line->send(ipc::encode(message), fds)) return;
  if (!hung_up(errno)) tell_(supervisor::WorkerDeaf{slot});
}

void Orders::perform(const supervisor::DrainWorker& action) {
  send(action.slot, ipc::Drain{.others_take_over = action.succeeded});
}

void Orders::perform(const supervisor::ReopenWorker& action) {
  const WorkerProcess* worker = children_.find_worker(action.slot);
  if (worker != nullptr) send(action.slot, ipc::Reopen{}, generations_.at(worker->generation).logs->files());
}

void Orders::perform(const supervisor::PauseWorker& action) { send(action.slot, ipc::Pause{action.pause}); }

void Orders::perform(const supervisor::ResumeWorker& action) { send(action.slot, ipc::Resume{}); }

}  // namespace serval::master
