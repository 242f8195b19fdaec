#include "os/processes.hpp"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>

#include "os/thread_stat.hpp"

namespace serval::os {
namespace {

namespace fs = std::filesystem;

/// The files of a folder whose names are numbers.
std::vector<pid_t> numbers_in(const std::string& folder) {
  std::vector<pid_t> numbers;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    pid_t number = 0;
    const auto [last, bad] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (bad == std::errc() && last == name.data() + name.size()) numbers.push_back(number);
  }
  return numbers;
}

/// `name`: of the process in /proc.
std::vector<pid_t> children_in(const std::string& name, pid_t pid) {
  std::vector<pid_t> children;
  bool listed = true;
  const std::string tasks = "/proc/" + name + "/task";
  for (const pid_t tid : numbers_in(tasks)) {
    std::ifstream file(tasks + "/" + std::to_string(tid) + "/children");
    listed = listed && file.is_open();
    for (pid_t child = 0; file >> child;) children.push_back(child);
  }
  if (listed) return children;

  children.clear();  // a kernel without CONFIG_PROC_CHILDREN
  for (const pid_t other : all_processes()) {
    const auto stat = thread_stat(other, other);
    if (stat && stat->parent == pid) children.push_back(other);
  }
  return children;
}

}  // namespace

std::vector<pid_t> all_processes() { return numbers_in("/proc"); }

std::vector<pid_t> children_of(pid_t pid) { return children_in(std::to_string(pid), pid); }

std::vector<pid_t> own_children() { return children_in("self", ::getpid()); }

}  // namespace serval::os
