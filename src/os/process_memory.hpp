#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"

/// How much memory another process of ours uses, in bytes (proc(5)). Pages of mapped files are left out: the kernel
/// takes them back when it needs room, so a request body that was spilled to disk, a mapped table or code costs no
/// process anything. What has no file behind it counts: heap, stacks, shared memory, and files on a tmpfs. Errors say
/// what cannot be read, and why: it ended, or is another user's. A process that ended and is not reaped yet uses 0, or
/// is an error.
namespace serval::os {

/// What of it is in memory, pages shared with others too (RssAnon and RssShmem of /proc/PID/status). Cheap, and off by
/// some pages for each thread and CPU.
Result<std::uint64_t> resident_bytes(pid_t pid);

/// Shared pages divided by the number of processes that map them (Pss without Pss_File of /proc/PID/smaps_rollup). The
/// kernel walks all page tables for it, which takes milliseconds for a large process, and needs the right to trace the
/// process (ptrace(2)).
Result<std::uint64_t> proportional_bytes(pid_t pid);

/// Pages that no other process maps: what its end would free (Private_* without Pss_File of the same file, at the same
/// price; too little by its share of the libraries that others map as well).
Result<std::uint64_t> unique_bytes(pid_t pid);

struct MemoryRollup {
  std::uint64_t proportional = 0;  ///< bytes, as is unique
  std::uint64_t unique = 0;
};
/// Both of them, at the price of one.
Result<MemoryRollup> memory_rollup(pid_t pid);

/// Bytes, from the text of status; none for a process that has ended.
std::optional<std::uint64_t> parse_resident(std::string_view status);

/// From the text of smaps_rollup. Linux before 5.4 does not tell what files take: there they count. None if a part of
/// it is missing, as for a process that is ending.
std::optional<MemoryRollup> parse_smaps_rollup(std::string_view text);

}  // namespace serval::os
