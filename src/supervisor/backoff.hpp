#pragma once

#include <random>
#include <string>

#include "base/time.hpp"
#include "config/config.hpp"

namespace serval::supervisor {

/// How long to wait before what crashed is started again: exponential with full jitter, so that many that died together
/// do not come back together. One per slot, and one for the mold.
class Backoff {
 public:
  Backoff() = default;
  explicit Backoff(int crashes_in_a_row) : crashes_in_a_row_(crashes_in_a_row) {}

  /// One more crash of something that had been healthy for `healthy_for` (zero: it never got that far). The delay until
  /// the next start: none for the first crash of what had been healthy at all, else uniform in 0 .. backoff_first x
  /// 2^(crashes in a row - 1), capped.
  Duration crashed(const config::Restart& policy, Clock::duration healthy_for, std::mt19937_64& random);
  void forget() { crashes_in_a_row_ = 0; }

  int crashes_in_a_row() const { return crashes_in_a_row_; }

 private:
  int crashes_in_a_row_ = 0;
};

/// For the log's `next`.
std::string restarting_in(Duration delay);

}  // namespace serval::supervisor
