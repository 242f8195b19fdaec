#include "os/oom.hpp"

#include <algorithm>
#include <fstream>
#include <vector>

#include "os/cgroup.hpp"
#include "os/proc_file.hpp"

namespace serval::os {
namespace {

std::optional<std::uint64_t> oom_kills_in(const std::string& path) {
  return parse_oom_kills(proc_text(path).value_or(""));
}

}  // namespace

std::optional<std::uint64_t> parse_oom_kills(std::string_view text) { return number_of(text, "oom_kill"); }

OomCounter::OomCounter(const std::string& root) {
  std::vector<std::string> candidates;
  const auto of_own_cgroup = [&](CgroupVersion version, const char* name) {
    const auto folders = cgroup_folders(version, "memory", root);
    if (!folders.empty()) candidates.push_back(folders.front() + name);
  };
  of_own_cgroup(CgroupVersion::v2, "/memory.events");
  of_own_cgroup(CgroupVersion::v1, "/memory.oom_control");
  candidates.push_back(root + "/proc/vmstat");
  const auto counting = std::find_if(candidates.begin(), candidates.end(),
                                     [](const std::string& path) { return oom_kills_in(path).has_value(); });
  if (counting != candidates.end()) source_ = *counting;
}

std::optional<std::uint64_t> OomCounter::read() const {
  if (source_.empty()) return std::nullopt;
  return oom_kills_in(source_);
}

void raise_oom_score(int by) {
  constexpr int kMaxScore = 1000;
  constexpr const char* kPath = "/proc/self/oom_score_adj";
  int score = 0;
  if (!(std::ifstream(kPath) >> score)) return;
  std::ofstream(kPath) << std::min(score + std::min(by, 2 * kMaxScore), kMaxScore);  // scores begin at -1000
}

}  // namespace serval::os
