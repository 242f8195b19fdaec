#pragma once

#include <memory>

#include "app/app.hpp"
#include "base/result.hpp"
#include "ipc/heritage.hpp"

namespace serval::mold {

/// Everything between exec and "loaded": umask, privileges, then the app. app.env is in the environment already
/// (ipc/exec_mold.hpp). The error is the one line that the user gets to see.
/// What runs of the app here has the identity and the environment that its workers will have.
Result<std::unique_ptr<app::App>> prepare(const ipc::Heritage& heritage);

/// An error that names the threads, if there is any but the caller's: fork(2) would copy their locks, but not them.
Result<void> only_one_thread();

}  // namespace serval::mold
