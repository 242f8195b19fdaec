#pragma once

#include <optional>
#include <span>
#include <vector>

#include "admin/exposition.hpp"
#include "metrics/reader.hpp"
#include "os/unique_fd.hpp"
#include "scoreboard/memory.hpp"

namespace serval::admin {

/// What the app counts of its own.
class AppMetrics {
 public:
  /// `fd`: of its memory's file (metrics/memory.hpp), ours from here on; -1, or another file: there are none.
  explicit AppMetrics(int fd);

  /// As it is now, whatever the workers do. The scoreboard says which of them live.
  std::vector<metrics::Family> read(const scoreboard::Memory& scoreboard) const;

 private:
  UniqueFd fd_;
  std::optional<metrics::Memory> memory_;
};

/// Pure.
void write_app_metrics(Exposition& out, std::span<const metrics::Family> families);

}  // namespace serval::admin
