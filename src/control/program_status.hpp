#pragma once

#include <boost/json/array.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "config/config.hpp"
#include "supervisor/snapshot.hpp"

namespace serval::control {

/// An instance of a program that lives.
struct ProgramReading {
  int id = 0;                             ///< as the snapshot calls it
  std::string status{};                   ///< what it says of itself; may be empty
  std::chrono::microseconds cpu{0};       ///< of all that had its number so far
  bool stopped = false;                   ///< by a signal or a debugger
  std::optional<std::uint64_t> memory{};  ///< bytes, of it and all that it has started
};

/// `programs` of the status (control/status.hpp).
boost::json::array programs_status(const supervisor::Snapshot& snapshot, const std::vector<ProgramReading>& readings,
                                   TimePoint now, const config::Programs* tables = nullptr);

}  // namespace serval::control
