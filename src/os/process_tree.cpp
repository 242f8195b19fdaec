#include "os/process_tree.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "os/processes.hpp"
#include "os/spawned.hpp"
#include "os/thread_stat.hpp"

namespace serval::os {
namespace {

bool has_ended(const ThreadStat& stat) { return stat.state == 'Z' || stat.state == 'X'; }

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
  for (const pid_t pid : all_processes()) {
    const auto stat = thread_stat(pid, pid);
    if (!stat) continue;
    tree.processes_.emplace(pid, Process{stat->parent, stat->session, has_ended(*stat)});
    tree.children_.emplace(stat->parent, pid);
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
    const auto stat = thread_stat(child, child);
    if (!stat || has_ended(*stat)) continue;
    if (stat->session == leader || (stat->session != own_session && has_variable(child, variable)))
      found.push_back(child);
  }
  return found;
}

}  // namespace serval::os
