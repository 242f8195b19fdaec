#pragma once

#include "app/app.hpp"
#include "ipc/channel.hpp"
#include "ipc/heritage.hpp"
#include "scoreboard/memory.hpp"

namespace serval::mold {

/// What the Fork message brought for one worker.
struct ForkRequest {
  int slot = 0;                   ///< its seat on the scoreboard
  int known_as = 0;               ///< its number as the app, commands and the log know it
  std::int64_t max_requests = 0;  ///< after which it is spent; 0: never
  std::uint32_t pause = 0;  ///< in which it begins; 0: none
  ipc::Channel channel;  ///< to the master
  UniqueFd output;       ///< becomes its standard output; none: the mold's
  UniqueFd error;        ///< becomes its standard error; none: the mold's
};

/// The worker's side of the fork: sheds what belongs to the mold, then worker::run. Returns the exit code.
int run_worker(const ipc::Heritage& heritage, app::App& app, scoreboard::Memory& scoreboard, ipc::Channel mold_channel,
               ForkRequest request);

}  // namespace serval::mold
