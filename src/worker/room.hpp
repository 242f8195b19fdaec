#pragma once

#include <algorithm>
#include <cstddef>

#include "os/own_fds.hpp"

/// What a worker does for want of descriptors. Pure.
namespace serval::worker {

/// Descriptors that connections leave to the app: for its files, its databases, and spilled bodies.
constexpr int headroom(int top) { return std::max(4, std::min(64, top / 8)); }

/// A connection that gets this number, or a higher one, is one too many: idle ones are closed for it. The kernel gives
/// the lowest that is free, so about as many are open. `limit`: RLIMIT_NOFILE.
inline int crowded_from(int limit) {
  const int own = os::first_own_fd(limit);
  const int top = own > 3 && limit - own <= 128 ? own : limit;  // serval's own are at the very top, or far below
  return top - headroom(top);
}

/// Connections that are closed at a time, of `idle` ones that could be: few enough that those which were active lately
/// stay, and so many that it need not be done for each newcomer.
constexpr std::size_t to_close(std::size_t idle) { return std::min<std::size_t>((idle + 7) / 8, 32); }

}  // namespace serval::worker
