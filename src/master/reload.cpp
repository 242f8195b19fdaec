#include <algorithm>
#include <string>
#include <utility>

#include "base/log.hpp"
#include "config/diff.hpp"
#include "config/problem.hpp"
#include "ipc/heritage.hpp"
#include "master/master.hpp"

// What a reload needs of the shell: the configuration as it is on disk now, what of it may change, and who waits for the end.
namespace serval::master {

/// `done` is called once: now, if it cannot even begin, or when it has ended. Who comes while one is under way is told of the next one.
void Master::request_reload(const std::string& by, ReloadDone done) {
  if (reloading_) {
    next_reload_waiters_.push_back(std::move(done));
    return handle(supervisor::ReloadRequested{by});
  }
  auto config = read_next_config();
  auto next = config ? open_next(*config) : Error{config.error()};
  if (!next) {
    log::error("reload refused, nothing has changed", {{"by", by}, {"why", next.error()}});
    handle(supervisor::ReloadRefused{next.error()});
    return done({{.generation = supervisor_.snapshot().generation, .good = false, .why = next.error()}});
  }
  const bool same_count = newest_.config->workers.count == next->config->workers.count;
  for (const config::Change& change : config::changes(*newest_.config, *next->config)) {
    log::info("configuration changes", {{"key", change.option->path}, {"from", change.before}, {"to", change.after}});
  }
  before_ = std::exchange(newest_, std::move(*next));
  if (const auto serving = generations_.find(supervisor_.snapshot().generation); serving != generations_.end()) before_.build = serving->second.build;
  reload_waiters_.push_back(std::move(done));
  reloading_ = true;
  handle(supervisor::ReloadRequested{by, settings_of(*newest_.config, same_count ? 0 : newest_.config->workers.count.value_or(0))});
}

/// An error if it is not valid, or changes what only a new master can change; says every one of these.
Result<std::shared_ptr<const config::Config>> Master::read_next_config() const {
  config::Loaded loaded = read_config_();
  if (!loaded.problems.empty()) return Error{config::format_problems(loaded.problems, "error")};
  std::string refused;
  for (const config::Change& change : config::changes(*newest_.config, loaded.config)) {
    if (change.option->apply != config::Apply::restart) continue;
    refused += (refused.empty() ? "" : "; ") + std::string(change.option->path) + " cannot change without a restart (from " + change.before + " to " +
               change.after + ")";
  }
  if (!refused.empty()) return Error{refused};
  return std::make_shared<const config::Config>(std::move(loaded.config));
}

/// Files and sockets that are open already are gone on with. Nothing of it is used yet.
Result<Generation> Master::open_next(std::shared_ptr<const config::Config> config) const {
  Generation next{.config = config, .logs = newest_.logs, .listeners = {}};
  if (!newest_.logs->are(config->log)) {
    auto logs = LogFiles::open(config->log);
    if (!logs) return Error{logs.error()};
    next.logs = std::make_shared<LogFiles>(std::move(*logs));
  }
  Listeners open = newest_.listeners;
  for (const auto& [number, generation] : generations_) open.insert(open.end(), generation.listeners.begin(), generation.listeners.end());
  std::vector<os::NamedSocket> nothing_passed;
  auto listeners = open_listeners(config->server, open, nothing_passed);
  if (!listeners) return Error{listeners.error()};
  next.listeners = std::move(*listeners);
  return next;
}

void Master::perform(const supervisor::ReloadEnded& action) {
  ReloadReport report{.ended = action};
  if (reloading_ && !action.good) newest_ = before_;  // what serves
  if (action.good) {
    take_over_settings();
    if (reloading_) report.changes = config::changes(*before_.config, *newest_.config);
    report.build_before = before_.build;
    report.build = generations_.at(action.generation).build;
  }
  before_ = {};
  reloading_ = false;
  forget_unused_generations();
  for (const ReloadDone& done : std::exchange(reload_waiters_, {})) done(report);
}

void Master::perform(const supervisor::ReloadAgain& action) {
  std::vector<ReloadDone> waiters = std::exchange(next_reload_waiters_, {});
  request_reload(action.by, [waiters = std::move(waiters)](const ReloadReport& report) {
    for (const ReloadDone& done : waiters) done(report);
  });
}

/// What the master itself goes by; the workers have theirs from their mold.
void Master::take_over_settings() {
  log::start(ipc::log_settings(newest_.config->log, newest_.logs->log()), "master");
  measure_.use(newest_.config->memory);
  if (cgroups_) cgroups_->limit(newest_.config->memory.hard);
}

void Master::forget_unused_generations() {
  const int current = supervisor_.snapshot().generation;
  std::erase_if(generations_, [&](const auto& entry) {
    const int generation = entry.first;
    const bool has_workers = std::any_of(workers_.begin(), workers_.end(), [&](const auto& worker) { return worker.second->generation == generation; });
    return generation != current && !has_workers && find_mold(generation) == nullptr;
  });
}

}  // namespace serval::master
