#include "os/cpus.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "os/cgroup.hpp"

namespace serval::os {
namespace {

std::optional<std::int64_t> read_number(std::string_view digits) {
  while (!digits.empty() && (digits.back() == '\n' || digits.back() == ' ')) digits.remove_suffix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::optional<double> smaller(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

/// Each parent limits all below it, so the smallest one counts. Machines with both versions mounted have the controller
/// in one of them.
std::optional<double> cgroup_quota(const std::string& root) {
  std::optional<double> quota;
  for (const std::string& folder : cgroup_folders(CgroupVersion::v2, "cpu", root)) {
    quota = smaller(quota, parse_cpu_max(first_line(folder + "/cpu.max").value_or("")));
  }
  for (const std::string& folder : cgroup_folders(CgroupVersion::v1, "cpu", root)) {
    const auto of = first_line(folder + "/cpu.cfs_quota_us");
    const auto per = first_line(folder + "/cpu.cfs_period_us");
    quota = smaller(quota, parse_cfs(of.value_or(""), per.value_or("")));
  }
  return quota;
}

/// How many CPUs our mask has; 0 if the kernel does not say. Grows the mask: hosts with more CPUs than cpu_set_t holds
/// give EINVAL.
int affine_cpus() {
  for (std::size_t cpus = CPU_SETSIZE; cpus <= (std::size_t{1} << 16); cpus *= 2) {
    std::vector<cpu_set_t> mask(cpus / CPU_SETSIZE);
    const std::size_t size = mask.size() * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, size, mask.data()) == 0) return CPU_COUNT_S(size, mask.data());
  }
  return 0;
}

std::string shortest(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", number);
  return text;
}

}  // namespace

std::optional<double> parse_cfs(std::string_view quota, std::string_view period) {
  const auto of = read_number(quota);
  const auto per = read_number(period);
  if (!of || !per || *of <= 0 || *per <= 0) return std::nullopt;
  return static_cast<double>(*of) / static_cast<double>(*per);
}

std::optional<double> parse_cpu_max(std::string_view text) {
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  return parse_cfs(text.substr(0, blank), text.substr(blank + 1));  // "max" is no number
}

Cpus decide_cpus(int present, int affine, std::optional<double> quota) {
  present = std::max(present, 1);
  affine = std::clamp(affine, 1, present);
  const int granted = quota && *quota < affine ? std::max(1, static_cast<int>(std::ceil(*quota))) : affine;
  const std::string of = std::to_string(granted) + " of " + std::to_string(present) + " CPUs";
  if (quota && *quota < affine) return {granted, of + " by cgroup quota " + shortest(*quota)};
  if (affine < present) return {affine, of + " by affinity"};
  return {present, std::to_string(present) + (present == 1 ? " CPU" : " CPUs")};
}

Cpus usable_cpus(const std::string& root) {
  const int present = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  const int affine = affine_cpus();
  return decide_cpus(present, affine > 0 ? affine : present, cgroup_quota(root));
}

}  // namespace serval::os
