#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"

/// A folder in a place where every user may make one, such as /tmp: another user could have been first, and put
/// something else there.
namespace serval::control {

/// Makes the folder with mode 0700 if there is none, then checks it as below.
Result<void> make_private_folder(const std::string& path, uid_t owner);

/// An error if it is no folder (a symbolic link is none, wherever it leads), another user's, or open to others. One
/// that does not exist is no error: what is looked for in it is not there, which is for the caller to find.
Result<void> check_private_folder(const std::string& path, uid_t owner);

}  // namespace serval::control
