#pragma once

#include <vector>

#include "app/app.hpp"
#include "ipc/channel.hpp"
#include "ipc/heritage.hpp"
#include "os/unique_fd.hpp"
#include "scoreboard/memory.hpp"

namespace serval::mold {

/// The descriptors that came with a ForkTask, all of them.
using TaskFds = std::vector<UniqueFd>;

/// The task's side of the fork: becomes what the order says, sheds what belongs to the mold, waits until the master
/// knows of it, then runs the task. Returns the exit code.
int run_task(const ipc::Heritage& heritage, app::App& app, scoreboard::Memory& scoreboard, ipc::Channel mold_channel,
             TaskFds fds);

/// Keeps `count` numbers from 3 on from the app's files, which may stay open in the task: its sockets come there
/// (sd_listen_fds(3)). Before the app is loaded.
void keep_socket_numbers(int count);

}  // namespace serval::mold
