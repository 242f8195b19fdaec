#include "config/diff.hpp"

#include <algorithm>

#include "config/encode.hpp"

namespace serval::config {
namespace {

/// One for each entry that differs.
void add_changes_of(const Option& option, const Pairs& before, const Pairs& after, std::vector<Change>& found) {
  const auto add = [&](const std::string& name, std::string_view how) {
    found.push_back({&option, std::string(option.path) + "." + name, {}, {}, how});
  };
  for (const auto& [name, value] : before) {
    const auto now = after.find(name);
    if (now == after.end()) {
      add(name, "removed");
    } else if (now->second != value) {
      add(name, "changed");
    }
  }
  for (const auto& [name, value] : after) {
    if (!before.contains(name)) add(name, "added");
  }
}

}  // namespace

std::vector<Change> changes(const Config& before, const Config& after) {
  std::vector<Change> found;
  const auto from_variables = [](const Config& config, const Option& option) {
    return std::find(config.from_variables.begin(), config.from_variables.end(), option.path) !=
           config.from_variables.end();
  };
  for (const auto& option : options()) {
    auto old_text = encode(option, before);
    auto new_text = encode(option, after);
    if (old_text == new_text) continue;
    const bool hidden = option.secret || from_variables(before, option) || from_variables(after, option);
    const auto* table = option.secret ? std::get_if<Access<Pairs>>(&option.field) : nullptr;
    if (!hidden) {
      found.push_back({&option, std::string(option.path), std::move(old_text), std::move(new_text), {}});
    } else if (table != nullptr) {
      add_changes_of(option, read(*table, before), read(*table, after), found);
    } else {
      found.push_back({&option, std::string(option.path), {}, {}, "changed"});
    }
  }
  return found;
}

Apply strongest(std::span<const Change> changes) {
  auto need = Apply::live;
  for (const auto& change : changes) need = std::max(need, change.option->apply);
  return need;
}

}  // namespace serval::config
