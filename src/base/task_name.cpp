#include "base/task_name.hpp"

#include "base/text.hpp"

namespace serval {
namespace {

/// More of them would hide the sentence.
constexpr std::size_t kMaxListed = 20;

}  // namespace

void add_task_names(std::string_view lines, std::vector<std::string>& names) {
  for (const std::string_view name : split(lines, '\n')) {
    if (names.size() < kMaxTasks && is_task_name(name)) names.emplace_back(name);
  }
}

std::string no_such_task(std::string_view name, const std::vector<std::string>& tasks) {
  const std::string sentence = "the library registers no task " + quoted(shortened(name, 80));
  if (tasks.empty()) return sentence + ", and no other";
  std::vector<std::string> listed(tasks.begin(), tasks.begin() + static_cast<long>(std::min(tasks.size(), kMaxListed)));
  if (listed.size() < tasks.size()) listed.push_back("and " + std::to_string(tasks.size() - listed.size()) + " more");
  return sentence + "; it has: " + join(listed, ", ");
}

}  // namespace serval
