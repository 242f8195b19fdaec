#include "config/diff.hpp"

#include <algorithm>

#include "config/value.hpp"

namespace serval::config {

std::vector<Change> changes(const Config& before, const Config& after) {
  std::vector<Change> found;
  for (const auto& option : options()) {
    auto old_text = encode(option, before);
    auto new_text = encode(option, after);
    if (old_text != new_text) found.push_back({&option, std::move(old_text), std::move(new_text)});
  }
  return found;
}

Apply strongest(std::span<const Change> changes) {
  auto need = Apply::live;
  for (const auto& change : changes) need = std::max(need, change.option->apply);
  return need;
}

}  // namespace serval::config
