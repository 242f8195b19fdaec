#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace serval {

/// "No such file or directory" for ENOENT. Unlike strerror(3), safe in every thread.
inline std::string errno_text(int error = errno) { return std::generic_category().message(error); }

}  // namespace serval
