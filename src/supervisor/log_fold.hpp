#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "supervisor/actions.hpp"

namespace serval::supervisor {

/// Keeps a storm out of the log. Lines that say the same (the same sentence and the same reason, of whatever slot and
/// process) pass up to `burst` times in kWindow; what comes beyond is counted, and told by its last line with
/// `folded=N` once the window is over, in which what is counted (`requests_lost=` and the like) is the sum over the N
/// lines. As long as it goes on like that, only that line comes. Pure.
class LogFold {
 public:
  static constexpr auto kWindow = std::chrono::seconds(10);

  explicit LogFold(int burst) : burst_(burst) {}

  /// The line, if it may be logged now.
  std::optional<Log> pass(Log line, TimePoint now);
  /// What is to be told of windows that are over.
  std::vector<Log> due(TimePoint now);
  /// Likewise of all others: nothing more will come.
  std::vector<Log> rest() { return due(TimePoint::max()); }
  TimePoint next() const;

 private:
  struct Repeated {
    TimePoint until;
    int left = 0;               ///< that may still pass in this window
    std::uint64_t folded = 0;
    std::optional<Log> last;    ///< of those that were folded
    std::map<std::string_view, std::uint64_t> sums;  ///< over those, by the key of the field
  };

  static Log told(Repeated& repeated);

  int burst_;
  std::map<std::string, Repeated> lines_;  ///< as many as there are sentences and reasons
};

}  // namespace serval::supervisor
