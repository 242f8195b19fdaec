#include "os/memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "os/cgroup.hpp"

namespace serval::os {
namespace {

std::optional<std::uint64_t> smaller(std::optional<std::uint64_t> a, std::optional<std::uint64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

std::optional<std::uint64_t> physical_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return std::nullopt;
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page);
}

}  // namespace

std::optional<std::uint64_t> parse_memory_max(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  std::uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr std::uint64_t kMaxPageBytes = 64 * 1024;  // of the architectures that Linux runs on today
  constexpr auto kUnlimited = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - kMaxPageBytes;
  if (bytes >= kUnlimited) return std::nullopt;
  return bytes;
}

std::optional<std::uint64_t> cgroup_memory_limit(const std::string& root) {
  std::optional<std::uint64_t> limit;
  for (const std::string& folder : cgroup_folders(CgroupVersion::v2, "memory", root)) {
    limit = smaller(limit, parse_memory_max(first_line(folder + "/memory.max").value_or("")));
  }
  for (const std::string& folder : cgroup_folders(CgroupVersion::v1, "memory", root)) {
    limit = smaller(limit, parse_memory_max(first_line(folder + "/memory.limit_in_bytes").value_or("")));
  }
  return limit;
}

std::optional<std::uint64_t> memory_limit(const std::string& root) {
  return smaller(physical_memory(), cgroup_memory_limit(root));
}

}  // namespace serval::os
