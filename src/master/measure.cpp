#include "master/measure.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/result.hpp"
#include "config/options.hpp"
#include "os/process_memory.hpp"

namespace serval::master {
namespace {

std::uint64_t lowest_ceiling(const config::Memory& memory) {
  if (memory.soft == 0 || memory.hard == 0) return std::max(memory.soft, memory.hard);
  return std::min(memory.soft, memory.hard);
}

}  // namespace

std::optional<std::uint64_t> Measure::look(pid_t worker) {
  const auto resident = os::resident_bytes(worker);
  if (!resident) return std::nullopt;
  if (*resident <= lowest_ceiling(memory_) || memory_.measure == config::MemoryMeasure::rss) return *resident;
  const auto measured =
      memory_.measure == config::MemoryMeasure::pss ? os::proportional_bytes(worker) : os::unique_bytes(worker);
  if (measured) return *measured;
  if (!os::resident_bytes(worker)) return std::nullopt;
  if (!std::exchange(complained_, true)) {
    log::warning("cannot measure workers as memory.measure says, taking rss for it",
                 {{"measure", config::name_of(memory_.measure)}, {"why", measured.error()}});
  }
  return *resident;
}

}  // namespace serval::master
