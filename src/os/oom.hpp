#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The kernel's out-of-memory killer (proc(5), cgroups(7)).
namespace serval::os {

/// How many processes it has killed. A worker that ended by SIGKILL while the number rose was most likely one of them.
///
/// Counted by our own cgroup: memory.events of version 2, which counts the groups below it too, or memory.oom_control
/// of version 1. Where neither counts, as in the machine's root cgroup or before Linux 4.13: by the whole machine
/// (/proc/vmstat).
class OomCounter {
 public:
  /// Finds the file; does not fail. `root` stands before /proc and the mount points (tests).
  explicit OomCounter(const std::string& root = "");

  /// The number now; none if nothing counts, or no longer.
  std::optional<std::uint64_t> read() const;
  /// The file's path; empty if nothing counts.
  const std::string& source() const { return source_; }

 private:
  std::string source_;
};

/// From lines of "oom_kill 3".
std::optional<std::uint64_t> parse_oom_kills(std::string_view text);

/// Makes this process and its future children likelier victims than others: adds to /proc/self/oom_score_adj, 1000 at
/// most. That it cannot be done is no error. Call before privileges are dropped: after that the file is root's
/// (proc(5), "dumpable").
void raise_oom_score(int by);

}  // namespace serval::os
