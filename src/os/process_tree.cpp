#include "os/process_tree.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "os/fork.hpp"
#include "os/spawned.hpp"

namespace serval::os {
namespace {

namespace fs = std::filesystem;

/// The third, fourth and sixth field of /proc/pid/stat; the second may hold blanks and parentheses itself.
bool read_stat(pid_t pid, char& state, pid_t& parent, pid_t& session) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t end_of_name = line.rfind(')');
  if (end_of_name == std::string::npos) return false;
  std::istringstream rest(line.substr(end_of_name + 1));
  pid_t group = 0;
  rest >> state >> parent >> group >> session;
  return static_cast<bool>(rest);
}

/// Whether that variable of the process has this value. False for processes that we may not look at.
bool has_variable(pid_t pid, const std::string& variable) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/environ", std::ios::binary);
  for (std::string one; std::getline(file, one, '\0');) {
    if (one == variable) return true;
  }
  return false;
}

}  // namespace

ProcessTree ProcessTree::read() {
  ProcessTree tree;
  std::error_code error;
  for (fs::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    pid_t pid = 0;
    const auto [last, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc() || last != name.data() + name.size()) continue;
    char state = 0;
    Process process;
    if (!read_stat(pid, state, process.parent, process.session)) continue;
    process.ended = state == 'Z' || state == 'X';
    tree.processes_.emplace(pid, process);
    tree.children_.emplace(process.parent, pid);
  }
  return tree;
}

void ProcessTree::add_below(pid_t root, std::vector<pid_t>& found) const {
  const auto process = processes_.find(root);
  if (process == processes_.end() || std::find(found.begin(), found.end(), root) != found.end()) return;
  if (!process->second.ended) found.push_back(root);
  const auto [begin, end] = children_.equal_range(root);
  for (auto child = begin; child != end; ++child) add_below(child->second, found);
}

std::vector<pid_t> ProcessTree::all_of(pid_t leader) const {
  std::vector<pid_t> found;
  if (is_spawned(leader)) add_below(leader, found);
  for (const pid_t orphan : left_behind(leader)) add_below(orphan, found);
  return found;
}

std::vector<pid_t> ProcessTree::remains_of(pid_t leader) const {
  const std::string variable = std::string(kExecPidVariable) + "=" + std::to_string(leader);
  std::vector<pid_t> found;
  for (const auto& [pid, process] : processes_) {
    if (!process.ended && (process.session == leader || has_variable(pid, variable))) add_below(pid, found);
  }
  return found;
}

/// Molds and workers have our own session, and what we have started ourselves is known.
std::vector<pid_t> left_behind(pid_t leader) {
  std::vector<pid_t> found;
  const pid_t own_session = ::getsid(0);
  const std::string variable = std::string(kExecPidVariable) + "=" + std::to_string(leader);
  for (const pid_t child : own_children()) {
    if (is_spawned(child)) continue;
    char state = 0;
    pid_t parent = 0;
    pid_t session = 0;
    if (!read_stat(child, state, parent, session) || state == 'Z' || state == 'X') continue;
    if (session == leader || (session != own_session && has_variable(child, variable))) found.push_back(child);
  }
  return found;
}

}  // namespace serval::os
