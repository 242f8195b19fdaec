#include "config/diff.hpp"

#include <algorithm>

#include "config/encode.hpp"
#include "config/programs.hpp"

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

bool has_variables_in(const Config& config, std::string_view path) {
  const auto& paths = config.from_variables;
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

/// Of files that are named as before: else the list of them is a change already.
bool content_changed(const auto& before, const auto& after) {
  return before.env_file == after.env_file && before.file_env != after.file_env;
}

/// One that was added or removed is one change; of others each option is.
std::vector<Change> program_changes(const Config& before, const Config& after) {
  std::vector<Change> found;
  const Option* command = find_program_option("command");
  const auto whole = [&](const std::string& name, std::string_view how) {
    found.push_back({command, "programs." + name, {}, {}, how});
  };
  for (const auto& [name, program] : before.programs) {
    const auto now = after.programs.find(name);
    if (now == after.programs.end()) {
      whole(name, "removed");
      continue;
    }
    if (now->second == program) continue;
    if (content_changed(program, now->second))
      found.push_back({find_program_option("env_file"), program_path(name, "env_file"), {}, {}, "changed"});
    const Config old_one = with_program(program);
    const Config new_one = with_program(now->second);
    for (const Option& row : program_options()) {
      const std::string path = program_path(name, key_of(row.path));
      auto old_text = encode(row, old_one);
      auto new_text = encode(row, new_one);
      if (old_text == new_text) continue;
      if (row.secret || has_variables_in(before, path) || has_variables_in(after, path)) {
        found.push_back({&row, path, {}, {}, "changed"});
      } else {
        found.push_back({&row, path, std::move(old_text), std::move(new_text), {}});
      }
    }
  }
  for (const auto& [name, program] : after.programs) {
    if (!before.programs.contains(name)) whole(name, "added");
  }
  return found;
}

}  // namespace

std::vector<Change> changes(const Config& before, const Config& after) {
  std::vector<Change> found;
  if (content_changed(before.app, after.app))
    found.push_back({find_option("app.env_file"), "app.env_file", {}, {}, "changed"});
  for (const auto& option : options()) {
    auto old_text = encode(option, before);
    auto new_text = encode(option, after);
    if (old_text == new_text) continue;
    const bool hidden = option.secret || has_variables_in(before, option.path) || has_variables_in(after, option.path);
    const auto* table = option.secret ? std::get_if<Access<Pairs>>(&option.field) : nullptr;
    if (!hidden) {
      found.push_back({&option, std::string(option.path), std::move(old_text), std::move(new_text), {}});
    } else if (table != nullptr) {
      add_changes_of(option, read(*table, before), read(*table, after), found);
    } else {
      found.push_back({&option, std::string(option.path), {}, {}, "changed"});
    }
  }
  for (Change& change : program_changes(before, after)) found.push_back(std::move(change));
  return found;
}

Apply strongest(std::span<const Change> changes) {
  auto need = Apply::live;
  for (const auto& change : changes) need = std::max(need, change.option->apply);
  return need;
}

}  // namespace serval::config
