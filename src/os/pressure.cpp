#include "os/pressure.hpp"

#include <charconv>

#include "base/text.hpp"
#include "os/cgroup.hpp"
#include "os/proc_file.hpp"

namespace serval::os {
namespace {

/// The number behind "total=".
std::optional<std::uint64_t> total_of(std::string_view line) {
  const auto at = line.find("total=");
  if (at == line.npos) return std::nullopt;
  std::uint64_t number = 0;
  const auto digits = line.substr(at + 6);
  if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec != std::errc()) return std::nullopt;
  return number;
}

}  // namespace

/// The line "full" is not there for CPUs of a whole machine before Linux 5.13.
std::optional<Pressure> parse_pressure(std::string_view text) {
  std::optional<Pressure> result;
  for (const std::string_view line : split(text, '\n')) {
    const auto total = total_of(line);
    if (total && line.starts_with("some ")) result.emplace().some_us = *total;
    if (total && line.starts_with("full ") && result) result->full_us = *total;
  }
  return result;
}

std::optional<Pressure> pressure(const std::string& resource, const std::string& root) {
  const auto folders = cgroup_folders(CgroupVersion::v2, resource, root);
  if (!folders.empty()) {
    if (const auto text = proc_text(folders.front() + "/" + resource + ".pressure")) {
      if (const auto ours = parse_pressure(*text)) return ours;
    }
  }
  const auto text = proc_text(root + "/proc/pressure/" + resource);
  return text ? parse_pressure(*text) : std::nullopt;
}

}  // namespace serval::os
