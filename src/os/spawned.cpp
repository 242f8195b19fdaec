#include "os/spawned.hpp"

#include <mutex>
#include <set>

namespace serval::os {
namespace {

struct Pids {
  std::mutex mutex;
  std::set<pid_t> set;
};

Pids& pids() {
  static Pids pids;
  return pids;
}

}  // namespace

void remember_spawned(pid_t pid) {
  const std::lock_guard lock(pids().mutex);
  pids().set.insert(pid);
}

void forget_spawned(pid_t pid) {
  const std::lock_guard lock(pids().mutex);
  pids().set.erase(pid);
}

bool is_spawned(pid_t pid) {
  const std::lock_guard lock(pids().mutex);
  return pids().set.contains(pid);
}

}  // namespace serval::os
