#include "master/worker_count.hpp"

#include <algorithm>

namespace serval::master {

WorkerCount count_workers(std::optional<int> configured, int cpus, const std::string& cpus_why,
                          std::optional<std::uint64_t> memory) {
  if (configured) return {*configured, "configured"};
  const int by_cpus = 2 * cpus + 1;
  const std::string formula = "2 x usable CPUs + 1; " + cpus_why;
  if (!memory) return {by_cpus, formula};
  const auto by_memory = static_cast<int>(std::clamp<std::uint64_t>(*memory / kMemoryPerWorker, 1, 1'000'000));
  if (by_memory >= by_cpus) return {by_cpus, formula};
  constexpr std::uint64_t kMiB = 1024 * 1024;
  return {by_memory, std::to_string(*memory / kMiB) + " MiB of memory at " + std::to_string(kMemoryPerWorker / kMiB) +
                         " MiB each; CPUs would allow " + std::to_string(by_cpus) + " (" + cpus_why + ")"};
}

}  // namespace serval::master
