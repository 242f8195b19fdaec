#include "os/titled_processes.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <sstream>

#include "os/proc_file.hpp"
#include "os/processes.hpp"

namespace serval::os {
namespace {

using Folder = std::unique_ptr<DIR, int (*)(DIR*)>;

Folder open_folder(const std::string& path) { return Folder(::opendir(path.c_str()), ::closedir); }

std::string proc(pid_t pid) { return "/proc/" + std::to_string(pid); }

/// Inodes of the sockets that it has; none: we may not look.
std::optional<std::set<std::string>> sockets_of(pid_t pid) {
  const std::string path = proc(pid) + "/fd";
  const Folder folder = open_folder(path);
  if (!folder) return std::nullopt;
  std::set<std::string> inodes;
  while (const dirent* entry = ::readdir(folder.get())) {
    std::array<char, 64> link;
    const ssize_t size = ::readlink((path + "/" + entry->d_name).c_str(), link.data(), link.size());
    const std::string_view target(link.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    constexpr std::string_view kSocket = "socket:[";
    if (target.starts_with(kSocket) && target.ends_with(']'))
      inodes.emplace(target.substr(kSocket.size(), target.size() - kSocket.size() - 1));
  }
  return inodes;
}

/// A child has its parent's title until it is another program.
void leave_out_copies(std::vector<TitledProcess>& found) {
  std::set<pid_t> copies;
  for (const TitledProcess& parent : found) {
    for (const pid_t child : children_of(parent.pid)) {
      const auto copy = std::find_if(found.begin(), found.end(), [child](const auto& one) { return one.pid == child; });
      if (copy != found.end() && copy->title == parent.title) copies.insert(child);
    }
  }
  std::erase_if(found, [&copies](const auto& one) { return copies.contains(one.pid); });
}

}  // namespace

std::vector<TitledProcess> processes_titled(std::string_view beginning) {
  std::vector<TitledProcess> found;
  for (const pid_t pid : all_processes()) {
    struct stat status = {};
    auto title = proc_text(proc(pid) + "/cmdline");
    if (!title || !title->starts_with(beginning) || ::stat(proc(pid).c_str(), &status) != 0) continue;
    title->resize(std::min(title->find('\0'), title->size()));
    found.push_back({pid, status.st_uid, *std::move(title)});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.pid < b.pid; });
  leave_out_copies(found);
  return found;
}

/// Fields of /proc/net/unix: Num RefCount Protocol Flags Type St Inode Path (proc(5)). Flags are __SO_ACCEPTCON for one
/// that listens.
std::optional<std::vector<std::string>> own_unix_listeners(pid_t pid) {
  auto inodes = sockets_of(pid);
  const auto table = proc_text(proc(pid) + "/net/unix");
  if (!inodes || !table) return std::nullopt;
  for (const pid_t child : children_of(pid)) {
    for (const std::string& inode : sockets_of(child).value_or(std::set<std::string>())) inodes->erase(inode);
  }
  std::vector<std::string> paths;
  std::istringstream lines(*table);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string skipped, flags, inode, path;
    fields >> skipped >> skipped >> skipped >> flags >> skipped >> skipped >> inode >> std::ws;
    std::getline(fields, path);
    if (flags == "00010000" && path.starts_with('/') && inodes->contains(inode)) paths.push_back(path);
  }
  return paths;
}

}  // namespace serval::os
