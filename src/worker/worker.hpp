#pragma once

#include "app/app.hpp"
#include "ipc/channel.hpp"
#include "ipc/heritage.hpp"
#include "scoreboard/memory.hpp"

namespace serval::worker {

/// What a freshly forked worker is given. Everything is borrowed from the mold's stack, which the fork copied: valid
/// until exit.
struct Boot {
  const ipc::Heritage& heritage;
  app::App& app;             ///< loaded and preloaded
  scoreboard::Memory& scoreboard;
  int slot = 0;                   ///< its seat on the scoreboard
  int known_as = 0;               ///< its number as the app, commands and the log know it
  std::int64_t max_requests = 0;  ///< after which it is spent; 0: never
  std::uint32_t pause = 0;   ///< in which it begins; 0: none
  ipc::Channel channel;      ///< to the master
};

/// The worker's whole life: worker_start, ready, serve, drain. Returns its exit code; the caller leaves with _exit.
/// Called once, in a process with one thread; creates the others.
int run(Boot boot);

}  // namespace serval::worker
