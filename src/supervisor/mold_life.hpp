#pragma once

#include <string>
#include <vector>

#include "supervisor/consequence.hpp"
#include "supervisor/crash_count.hpp"
#include "supervisor/events.hpp"
#include "supervisor/turn.hpp"

namespace serval::supervisor {

/// A mold's life: spawned, loading, ready, gone, and started again. Workers are never touched by it: they do not need
/// the mold, only their successors do.
class MoldLife {
 public:
  explicit MoldLife(CrashCount& crashes) : crashes_(crashes) {}

  static void on(const MoldStarted& event, const Turn& turn);
  Consequence on(const MoldNotStarted& event, const Turn& turn);
  /// A generation without a task that a program is does not do. One whose library has changed on disk since goes on.
  static Consequence on(const MoldLoaded& event, const Turn& turn);
  static void on(const MoldLoadFailed& event, const Turn& turn);
  static void on(const MoldDeaf& event, const Turn& turn);
  /// Forgets one whose place another generation has taken.
  Consequence on_exit(Mold& mold, const Exit& exit, const Turn& turn);
  /// After every event: those that nobody needs any more go; one that forks just now, when that is done.
  static void retire_unneeded(const Turn& turn);

 private:
  Consequence failed(Mold& mold, const std::string& why, std::vector<log::Field> fields, const Turn& turn);

  CrashCount& crashes_;
};

}  // namespace serval::supervisor
