#include "os/throttling.hpp"

#include "os/cgroup.hpp"
#include "os/proc_file.hpp"

namespace serval::os {

std::optional<Throttling> parse_throttling(std::string_view text) {
  const auto periods = number_of(text, "nr_periods");
  const auto throttled = number_of(text, "nr_throttled");
  if (!periods || !throttled) return std::nullopt;
  Throttling result{*periods, *throttled, 0};
  if (const auto us = number_of(text, "throttled_usec")) {
    result.throttled_us = *us;
  } else if (const auto ns = number_of(text, "throttled_time")) {  // version 1
    result.throttled_us = *ns / 1000;
  }
  return result;
}

/// Any of the groups above ours may be the one with the limit: the first that has been throttled says it, else ours.
std::optional<Throttling> throttling(const std::string& root) {
  std::optional<Throttling> result;
  for (const auto version : {CgroupVersion::v2, CgroupVersion::v1}) {
    for (const std::string& folder : cgroup_folders(version, "cpu", root)) {
      const auto text = proc_text(folder + "/cpu.stat");
      const auto found = text ? parse_throttling(*text) : std::nullopt;
      if (found && (!result || (result->throttled == 0 && found->throttled > 0))) result = found;
    }
  }
  return result;
}

}  // namespace serval::os
