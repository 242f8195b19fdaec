#include "supervisor/log_reopening.hpp"

#include <algorithm>

namespace serval::supervisor {

void LogReopening::on(const LogsReopened&, const Turn& turn) {
  under_way_ = true;
  processes_ = 1;  // the master itself
  for (auto& [generation, mold] : turn.molds) {
    if (mold.state != MoldState::loading && mold.state != MoldState::ready) continue;
    ++mold.reopens_pending;
    turn.act(ReopenMold{generation});
  }
  for (Slot& slot : turn.slots) {
    if (!slot.occupied()) continue;
    slot.ask_reopen();
    turn.act(ReopenWorker{slot.index()});
  }
}

void LogReopening::on(const MoldReopened& event, const Turn& turn) {
  const auto found = turn.molds.find(event.generation);
  if (found == turn.molds.end() || found->second.reopens_pending == 0) return;
  if (--found->second.reopens_pending == 0) ++processes_;
}

void LogReopening::on(const WorkerReopened& event, const Turn& turn) {
  Slot* slot = turn.slots.find(event.slot);
  if (slot == nullptr || !slot->reopen_pending()) return;
  slot->reopened();
  if (!slot->reopen_pending()) ++processes_;
}

void LogReopening::settle(const Turn& turn) {
  if (!under_way_) return;
  const auto pending = [](const auto& entry) { return entry.second.reopens_pending > 0; };
  if (std::any_of(turn.molds.begin(), turn.molds.end(), pending)) return;
  if (turn.slots.any([](const Slot& slot) { return slot.reopen_pending(); })) return;
  under_way_ = false;
  turn.say(log::Level::info, "logs reopened", {{"processes", processes_}});
}

}  // namespace serval::supervisor
