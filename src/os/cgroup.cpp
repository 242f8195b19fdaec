#include "os/cgroup.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/text.hpp"
#include "os/proc_file.hpp"

namespace serval::os {
namespace fs = std::filesystem;
namespace {

/// Whether a comma-separated list has the word.
bool lists(std::string_view list, std::string_view word) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == word) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

/// mountinfo writes blanks, tabs, line ends and backslashes in paths as three octal digits: "\040".
std::string unescape(std::string_view path) {
  std::string plain;
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '\\' && i + 3 < path.size() && std::all_of(&path[i + 1], &path[i + 4], is_octal)) {
      plain += static_cast<char>((path[i + 1] - '0') * 64 + (path[i + 2] - '0') * 8 + (path[i + 3] - '0'));
      i += 3;
    } else {
      plain += path[i];
    }
  }
  return plain;
}

/// What of `path` lies below `root`, starting with '/' or empty; none if it lies elsewhere.
std::optional<std::string> below(const std::string& path, const std::string& root) {
  if (root == "/") return path == "/" ? "" : path;
  if (path == root) return "";
  if (path.starts_with(root + "/")) return path.substr(root.size());
  return std::nullopt;
}

}  // namespace

std::optional<std::string> first_line(const std::string& path) {
  const auto text = proc_text(path);
  if (!text || text->empty()) return std::nullopt;
  return text->substr(0, text->find('\n'));
}

std::optional<std::uint64_t> number_of(std::string_view text, std::string_view key) {
  for (std::string_view line : split(text, '\n')) {
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ') continue;
    line.remove_prefix(key.size() + 1);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (error == std::errc() && end == line.data() + line.size()) return number;
  }
  return std::nullopt;
}

std::optional<std::string> own_cgroup(std::string_view proc_cgroup, CgroupVersion version,
                                      std::string_view controller) {
  std::istringstream lines{std::string(proc_cgroup)};
  for (std::string line; std::getline(lines, line);) {  // hierarchy-ID:controller-list:path
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool ours = version == CgroupVersion::v2 ? line.starts_with("0::") : lists(controllers, controller);
    if (ours) return line.substr(second + 1);
  }
  return std::nullopt;
}

std::optional<CgroupMount> cgroup_mount(std::string_view mountinfo, CgroupVersion version,
                                        std::string_view controller) {
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::string id, parent, device, root, point, type, source, options;
    std::istringstream(line.substr(0, dash)) >> id >> parent >> device >> root >> point;
    std::istringstream(line.substr(dash + 3)) >> type >> source >> options;
    const bool ours = version == CgroupVersion::v2 ? type == "cgroup2" : type == "cgroup" && lists(options, controller);
    if (ours) return CgroupMount{unescape(root), unescape(point)};
  }
  return std::nullopt;
}

std::vector<std::string> cgroup_folders(CgroupVersion version, std::string_view controller, const std::string& root) {
  const auto path = own_cgroup(proc_text(root + "/proc/self/cgroup").value_or(""), version, controller);
  if (!path) return {};  // most have one version only, and the list of mounts takes long to make
  const auto mount = cgroup_mount(proc_text(root + "/proc/self/mountinfo").value_or(""), version, controller);
  if (!mount) return {};

  const std::string top = root + mount->point;
  std::string rest = below(*path, mount->root).value_or("");
  std::error_code error;
  if (!fs::is_directory(top + rest, error)) rest.clear();
  std::vector<std::string> folders;
  for (; !rest.empty(); rest.erase(rest.rfind('/'))) folders.push_back(top + rest);
  folders.push_back(top);
  return folders;
}

}  // namespace serval::os
