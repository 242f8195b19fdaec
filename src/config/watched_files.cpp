#include "config/watched_files.hpp"

#include <algorithm>
#include <filesystem>

namespace serval::config {
namespace {

void add(std::vector<WatchedFile>& files, WatchedFile file) {
  if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(std::move(file));
}

}  // namespace

std::vector<WatchedFile> watched_files(const Config& config, const std::string& config_file,
                                       const std::function<bool(const std::string& path)>& is_file) {
  std::vector<WatchedFile> files;
  if (!config_file.empty()) add(files, {config_file, {}});
  if (config.has_app()) add(files, {config.app.library, {}});
  for (const auto& [name, program] : config.programs) {
    const std::filesystem::path folder = program.working_directory;
    for (std::size_t i = 0; i < program.command.size(); ++i) {
      const std::string& word = program.command[i];
      if (word.empty() || word.front() == '-') continue;
      const bool in_path = i == 0 && word.find('/') == std::string::npos;
      const std::string path = (folder / word).lexically_normal().string();
      if (!in_path && is_file(path)) add(files, {path, name});
    }
  }
  return files;
}

}  // namespace serval::config
