#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"

namespace serval::supervisor {

/// What the end of one process means for the whole server. The part that finds it does not act on it: the supervisor
/// sees to it, as the last thing about that event.
struct Consequence {
  enum class Kind {
    none,
    rollout_failed,  ///< before any worker was replaced
    roll_back,       ///< the new generation is no good
    boot_failed,     ///< no worker has ever been ready, and none will
    give_up,         ///< restart.give_up_after
    programs_ended,  ///< for good, and there is no app
  };
  Kind kind = Kind::none;
  std::string why{};                   ///< the first two; of boot_failed: the sentence for the log
  std::vector<log::Field> fields{};    ///< of boot_failed
  int exit_code = 0;                   ///< of programs_ended
};

}  // namespace serval::supervisor
