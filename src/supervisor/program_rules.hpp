#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "supervisor/events.hpp"
#include "supervisor/program_state.hpp"

/// What is decided about programs from plain values alone. Pure.
namespace serval::supervisor {

/// What follows when an instance has ended that nobody has told to.
enum class AfterEnd {
  restart,    ///< as restart says
  succeeded,  ///< it is not started again: it has done what it was for
  failed,     ///< it is not started again, though it has not
};
AfterEnd after_end(const config::Program& program, const Exit& exit);

/// Failures of an instance in a row, the last one among them: whether that is one too many.
bool gives_up(const config::Program& program, int failures);

/// Whether instances that run by the one table are as good as new ones by the other: what differs concerns only how
/// they are supervised.
bool same_when_launched(const config::Program& one, const config::Program& other);

/// All wanted instances are ready, or have ended for good with success.
bool is_up(const ProgramGroupRecord& group);
/// Nothing is under way with it: each of its instances is ready and stays, or has ended for good.
bool is_settled(const ProgramGroupRecord& group);

/// What `after` names that is not up yet; empty: it may start. `is_program_up`: asked of a program's name.
std::vector<std::string> waits_for(const config::Program& program, bool app_is_up,
                                   const std::function<bool(const std::string& name)>& is_program_up);

/// "exit code 3", "SIGKILL", with what the kernel had to do with it.
std::string how_it_ended(const Exit& exit);

}  // namespace serval::supervisor
