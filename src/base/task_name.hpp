#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// What tasks of the app's library are called (serval.h: serval_task).
namespace serval {

inline constexpr std::string_view kTaskNameRule = "1 to 64 letters, digits, '_', '-', '.' and ':'";
/// That a library may have.
inline constexpr std::size_t kMaxTasks = 256;

inline bool is_task_name(std::string_view name) {
  const auto allowed = [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == ':';
  };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), allowed);
}

/// A name on each line, as a mold says them, whose word is not believed: only what may be a name, and no more of them
/// than there may be in `names`, to which they are added.
void add_task_names(std::string_view lines, std::vector<std::string>& names);

/// The sentence about one that a library lacks.
std::string no_such_task(std::string_view name, const std::vector<std::string>& tasks);

}  // namespace serval
