#pragma once

#include <atomic>
#include <cstdint>

/// What memory that processes share is made of.
namespace serval {

using Cell32 = std::atomic<std::uint32_t>;
using Cell64 = std::atomic<std::uint64_t>;
using Signed32 = std::atomic<std::int32_t>;
using Signed64 = std::atomic<std::int64_t>;
// A lock would be in one process's memory, and left locked by a killed one.
static_assert(Cell32::is_always_lock_free && Cell64::is_always_lock_free && Signed32::is_always_lock_free &&
              Signed64::is_always_lock_free);

}  // namespace serval
