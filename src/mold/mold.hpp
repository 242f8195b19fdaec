#pragma once

namespace serval::mold {

/// The mold's whole life: reads what it inherits, loads and preloads the app, then forks workers on request until the
/// master goes away or closes the channel. Called by the hidden command `serval mold FD`; one thread. Returns the exit
/// code of the process.
int run(int heritage_fd);

}  // namespace serval::mold
