#include "supervisor/upgrade_plan.hpp"

#include "base/units.hpp"

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

/// For the check of the new program and for a calm moment. A reload has to be over by then; an upgrade behind a longer
/// one has to be asked for again.
constexpr Duration kPatience = 60s;

}  // namespace

void UpgradePlan::on(const UpgradeRequested& event, const Turn& turn) {
  if (asked_) return;  // requests that come meanwhile get the same answer
  if (const std::string why = turn.why_not_running(); !why.empty()) return turn.act(UpgradeRefused{why});
  turn.say(log::Level::info, "upgrade asked for, checking the new program", {{"by", event.by}});
  asked_ = Asked{.checked = false, .deadline = turn.now + kPatience};
  turn.act(CheckUpgrade{});
}

void UpgradePlan::on(const UpgradeChecked& event, const Turn& turn) {
  if (!asked_) return;
  asked_->checked = event.good;
  if (!event.good) refuse(event.why, turn);
}

void UpgradePlan::refuse(const std::string& why, const Turn& turn) {
  asked_.reset();
  turn.say(log::Level::error, "upgrade refused, going on as before", {{"why", why}});
  turn.act(UpgradeRefused{why});
}

void UpgradePlan::settle(const std::string& busy_with, const Turn& turn) {
  if (!asked_) return;
  if (const std::string why = turn.why_not_running(); !why.empty()) return refuse(why, turn);
  if (turn.now < asked_->deadline) return;
  std::string why = busy_with;
  if (why.empty())
    why = asked_->checked ? "another command still waits for its answer" : "the check of the new program does not end";
  refuse("no calm moment within " + format_duration(kPatience) + ": " + why, turn);
}

}  // namespace serval::supervisor
