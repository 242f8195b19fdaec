#include <algorithm>
#include <csignal>
#include <utility>

#include "base/units.hpp"
#include "config/program_values.hpp"
#include "supervisor/mold_steps.hpp"
#include "supervisor/program_group.hpp"

/// How instances of a ProgramGroup are told to end, and made to.
namespace serval::supervisor {
namespace {

/// As the table says; TERM if it says nothing that is known.
int stop_signal_of(const config::Program& program) {
  return config::stop_signal_number(program.stop_signal).value_or(SIGTERM);
}

}  // namespace

void ProgramGroup::end(Cause cause, const Turn& turn) {
  end_schedule();
  for (ProgramInstance& instance : instances_) leave(instance, cause, turn);
  std::erase_if(instances_, [](const auto& one) { return !one.occupied(); });
}

void ProgramGroup::kill_all(const Turn& turn) {
  for (ProgramInstance& instance : instances_) {
    if (instance.state == ProgramState::clearing && instance.deadline != TimePoint::min()) {
      instance.deadline = TimePoint::min();
      turn.act(EndLeftovers{instance.id, instance.pid, turn.now});
    }
    if (instance.occupied() && instance.state != ProgramState::clearing && !instance.killed)
      kill(instance, Cause::stop, turn);
  }
}

/// It is told to end, and does not come back.
void ProgramGroup::leave(ProgramInstance& instance, Cause cause, const Turn& turn) {
  if (!std::exchange(instance.leaving, true)) instance.cause = cause;
  if (!instance.runs()) return;
  if (instance.pid == 0) return;  // its launch is under way
  if (program_.grace == Duration::zero()) return kill(instance, cause, turn);
  instance.state = ProgramState::stopping;
  instance.deadline = turn.now + program_.grace;
  auto line = fields(instance);
  line.emplace_back("cause", name_of(instance.cause));
  line.emplace_back("at_most", format_duration(program_.grace));
  turn.say(routine(), "stopping program", std::move(line));
  turn.act(SignalProgram{instance.id, instance.pid, stop_signal_of(program_)});
}

void ProgramGroup::kill(ProgramInstance& instance, Cause cause, const Turn& turn) {
  if (instance.pid == 0) return give_up_launch(instance, turn);
  instance.state = ProgramState::stopping;
  instance.killed = true;
  instance.cause = cause;
  instance.deadline = TimePoint::max();
  turn.act(SignalProgram{instance.id, instance.pid, SIGKILL, true});
}

/// A mold does not fork a task: as with workers, that is the end of it, and the launch has failed with that.
void ProgramGroup::give_up_launch(ProgramInstance& instance, const Turn& turn) const {
  Mold* mold = turn.world.find_mold(instance.generation);
  instance.deadline = TimePoint::max();
  if (mold == nullptr || mold->killed) return;
  if (mold->why.empty())
    mold->why = "it did not fork a task: " + state_.name + "[" + std::to_string(instance.number) + "]";
  kill_mold(*mold, turn);
}

}  // namespace serval::supervisor
