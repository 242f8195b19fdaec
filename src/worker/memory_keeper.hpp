#pragma once

#include <cstdint>

#include "worker/trim.hpp"

namespace serval::worker {

/// Gives memory that has been freed back to the system, when that is worth it (trim.hpp). Loop only; asked some seconds
/// apart.
class MemoryKeeper {
 public:
  explicit MemoryKeeper(int pid) : pid_(pid) {}

  /// `requests`: over so far; `busy`: some are in hand.
  void look(std::uint64_t requests, bool busy);

 private:
  const int pid_;
  Trim trim_;
};

}  // namespace serval::worker
