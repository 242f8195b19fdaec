#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "supervisor/consequence.hpp"
#include "supervisor/crash_count.hpp"
#include "supervisor/events.hpp"
#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// The end of a worker: what it is called in the log and in the figures, and what follows.
class WorkerEnds {
 public:
  using Counts = std::map<Cause, std::uint64_t>;

  WorkerEnds(CrashCount& crashes, Counts so_far) : crashes_(crashes), ended_(std::move(so_far)) {}

  Consequence on(const ForkFailed& event, const Turn& turn);
  Consequence on_exit(Slot& slot, const Exit& exit, const Turn& turn);

  /// Workers that have ended, by cause.
  const Counts& counts() const { return ended_; }

 private:
  void retired(Slot& slot, const Exit& exit, std::vector<log::Field> fields, const Turn& turn);
  Consequence failed(Slot& slot, Cause cause, const std::string& how, std::vector<log::Field> fields,
                     const Turn& turn);
  Consequence canary_failed(Slot& slot, Cause cause, const std::string& how, std::vector<log::Field> fields,
                            const Turn& turn);

  CrashCount& crashes_;
  Counts ended_;
};

}  // namespace serval::supervisor
