#include "worker/memory_keeper.hpp"

#include <malloc.h>

#include "base/log.hpp"
#include "os/process_memory.hpp"

namespace serval::worker {

void MemoryKeeper::look(std::uint64_t requests, bool busy) {
  const auto resident = os::resident_bytes(pid_);
  if (!resident || !trim_.due(*resident, requests, busy)) return;
  ::malloc_trim(0);
  const auto left = os::resident_bytes(pid_);
  trim_.done(left ? *left : *resident);
  log::debug("memory given back", {{"before_kib", *resident / 1024}, {"after_kib", (left ? *left : *resident) / 1024}});
}

}  // namespace serval::worker
