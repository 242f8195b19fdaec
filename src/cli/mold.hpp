#pragma once

namespace serval::cli {

/// The body of the hidden `serval mold FD`: reads the ipc::Heritage behind `heritage_fd` and is a mold until told to leave, or a worker
/// after a fork. Returns the exit code.
int run_mold(int heritage_fd);

}  // namespace serval::cli
