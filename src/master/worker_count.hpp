#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace serval::master {

struct WorkerCount {
  int workers = 1;
  std::string why;
};

/// How many workers to run: as configured, else 2 x usable CPUs + 1, but no more than the memory has room for at
/// kMemoryPerWorker each. `cpus_why` explains the CPUs and ends up in `why`. Pure.
WorkerCount count_workers(std::optional<int> configured, int cpus, const std::string& cpus_why,
                          std::optional<std::uint64_t> memory);

/// What a small app's worker is assumed to need; set workers.count if that is wrong.
inline constexpr std::uint64_t kMemoryPerWorker = 64ULL * 1024 * 1024;

}  // namespace serval::master
