#include "os/threads.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

namespace serval::os {
namespace fs = std::filesystem;

std::vector<std::string> other_threads() {
  std::vector<pid_t> tids;
  std::error_code error;
  for (fs::directory_iterator it("/proc/self/task", error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    pid_t tid = 0;
    std::from_chars(name.data(), name.data() + name.size(), tid);
    if (tid > 0 && tid != ::gettid()) tids.push_back(tid);
  }
  std::sort(tids.begin(), tids.end());

  std::vector<std::string> threads;
  for (const pid_t tid : tids) {
    std::string name;
    std::ifstream comm("/proc/self/task/" + std::to_string(tid) + "/comm");
    if (!std::getline(comm, name)) continue;  // it has ended since
    threads.push_back(name + "(" + std::to_string(tid) + ")");
  }
  return threads;
}

void name_thread(const std::string& name) { ::prctl(PR_SET_NAME, name.c_str(), 0, 0, 0); }

}  // namespace serval::os
