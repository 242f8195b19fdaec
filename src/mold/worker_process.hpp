#pragma once

#include "app/app.hpp"
#include "ipc/channel.hpp"
#include "ipc/heritage.hpp"

namespace serval::mold {

/// What the Fork message brought for one worker.
struct WorkerSeat {
  int slot = 0;
  ipc::Channel channel;  ///< to the master
  UniqueFd output;       ///< becomes its standard output; none: the mold's
  UniqueFd error;        ///< becomes its standard error; none: the mold's
};

/// The worker's side of the fork: sheds what belongs to the mold, then worker::run. Returns the exit code.
int run_worker(const ipc::Heritage& heritage, app::App& app, ipc::Channel mold_channel, WorkerSeat seat);

}  // namespace serval::mold
