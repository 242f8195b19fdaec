#include "master/generations.hpp"

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "config/load.hpp"

namespace serval::master {
namespace {

/// The place of `what` in `list`, which it is put into if it is not there.
template <class T>
int index_of(std::vector<T>& list, const T& what) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == what) return static_cast<int>(i);
  }
  list.push_back(what);
  return static_cast<int>(list.size()) - 1;
}

}  // namespace

control::CodeReading Generations::code_of(int number) const {
  const auto found = living_.find(number);
  if (found == living_.end()) return {};
  return {.library = found->second.config->app.library, .build = found->second.build};
}

void Generations::note_build(int number, const std::string& build) {
  std::string& known = living_.at(number).build;
  if (known.empty()) known = build;
}

/// The newest itself has no build: it is what a mold is started with.
void Generations::begin_reload(Generation next, int serving) {
  before_ = std::exchange(newest_, std::move(next));
  if (lives(serving)) before_->build = at(serving).build;
}

void Generations::end_reload(bool good) {
  if (before_ && !good) newest_ = std::move(*before_);
  before_.reset();
}

void Generations::forget_unused(int current, const Children& children) {
  std::erase_if(living_, [&](const auto& entry) { return entry.first != current && !children.any_of(entry.first); });
}

Listeners Generations::listeners() const {
  Listeners open = newest_.listeners;
  for (const auto& [number, generation] : living_)
    open.insert(open.end(), generation.listeners.begin(), generation.listeners.end());
  return open;
}

void Generations::retire_listeners() const {
  for (const auto& [number, generation] : living_) refuse_all_but(newest_.listeners, generation.listeners);
}

void Generations::leave_listeners() const {
  for (const auto& [number, generation] : living_) leave_all(generation.listeners);
  leave_all(newest_.listeners);
}

void Generations::leave_program_listeners() const {
  for (const auto& [name, listeners] : newest_.program_listeners) leave_all(listeners);
  for (const auto& [number, generation] : living_) {
    for (const auto& [name, listeners] : generation.program_listeners) leave_all(listeners);
  }
}

/// Generations share files: one is opened, and complained of, only once.
std::string Generations::reopen_logs() const {
  std::string failures;
  std::set<LogFiles*> files = {newest_.logs.get()};
  for (const auto& [number, generation] : living_) files.insert(generation.logs.get());
  for (LogFiles* logs : files) {
    const std::string why = logs->reopen();
    if (failures.find(why) == std::string::npos) failures += (failures.empty() ? "" : "\n") + why;
  }
  return failures;
}

/// What generations share is said once, and named by its index.
void Generations::record(Handover& handover) const {
  std::vector<std::shared_ptr<LogFiles>> logs;
  Listeners listeners;
  for (const auto& [number, generation] : living_) {
    GenerationRecord record{.number = number,
                            .config = config::to_text(*generation.config),
                            .logs = index_of(logs, generation.logs),
                            .build = generation.build,
                            .config_file = generation.config_file,
                            .from_variables = generation.config->from_variables};
    for (const auto& listener : generation.listeners) {
      if (listener->open()) record.listeners.push_back(index_of(listeners, listener));
    }
    for (const auto& [program, of_program] : generation.program_listeners) {
      for (const auto& listener : of_program) {
        if (listener->open()) record.program_listeners[program].push_back(index_of(listeners, listener));
      }
    }
    handover.generations.push_back(std::move(record));
  }
  for (const auto& files : logs) handover.logs.push_back(files->record());
  for (const auto& listener : listeners) handover.listeners.push_back(listener->record());
}

}  // namespace serval::master
