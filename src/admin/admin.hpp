#pragma once

/// The process that answers those who watch the server: probes, scrapers, people. It runs no code of the app's, has
/// none of its secrets and no rights beyond looking: it reads the scoreboard, asks the master for its status, and can
/// tell it nothing.
namespace serval::admin {

/// The hidden `serval admin FD`, started by the master with the ipc::Heritage behind FD. Returns the exit code when the
/// master is gone or has a successor.
int run(int heritage_fd);

}  // namespace serval::admin
