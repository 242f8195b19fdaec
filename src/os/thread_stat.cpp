#include "os/thread_stat.hpp"

#include <unistd.h>

#include <cstdint>
#include <sstream>
#include <string>

#include "os/cgroup.hpp"

namespace serval::os {

std::optional<ThreadStat> parse_thread_stat(std::string_view text, long ticks_per_second) {
  const std::size_t end_of_name = text.rfind(')');  // the name may hold blanks and parentheses itself
  if (end_of_name == std::string_view::npos) return std::nullopt;
  std::istringstream rest{std::string(text.substr(end_of_name + 1))};
  ThreadStat stat;
  std::string skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  rest >> stat.state >> stat.parent >> skipped >> stat.session;
  for (int field = 7; field < 14; ++field) rest >> skipped;  // as proc(5) numbers them: utime is the 14th
  rest >> user >> system;
  if (!rest) return std::nullopt;
  const auto time_of = [ticks_per_second](std::int64_t ticks) {
    return std::chrono::seconds(ticks / ticks_per_second) +
           std::chrono::nanoseconds(ticks % ticks_per_second * 1'000'000'000 / ticks_per_second);
  };
  stat.cpu = time_of(user + system);
  if (rest >> user >> system) stat.children_cpu = time_of(user + system);
  return stat;
}

std::optional<Clock::duration> process_cpu(pid_t pid) {
  const auto line = first_line("/proc/" + std::to_string(pid) + "/stat");
  const auto stat = line ? parse_thread_stat(*line, ::sysconf(_SC_CLK_TCK)) : std::nullopt;
  return stat ? std::optional(stat->cpu + stat->children_cpu) : std::nullopt;
}

bool is_stopped(pid_t pid) {
  const auto stat = thread_stat(pid, pid);
  return stat && (stat->state == 'T' || stat->state == 't');
}

std::optional<ThreadStat> thread_stat(pid_t pid, pid_t thread) {
  const auto line = first_line("/proc/" + std::to_string(pid) + "/task/" + std::to_string(thread) + "/stat");
  if (!line) return std::nullopt;
  return parse_thread_stat(*line, ::sysconf(_SC_CLK_TCK));
}

}  // namespace serval::os
