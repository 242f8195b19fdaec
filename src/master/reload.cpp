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
  auto next = read_next_config();
  if (!next) {
    log::error("reload refused, nothing has changed", {{"by", by}, {"why", next.error()}});
    return done({.generation = supervisor_.snapshot().generation, .good = false, .why = next.error()});
  }
  const bool same_count = newest_config_->workers.count == (*next)->workers.count;
  for (const config::Change& change : config::changes(*newest_config_, **next)) {
    log::info("configuration changes", {{"key", change.option->path}, {"from", change.before}, {"to", change.after}});
  }
  config_before_ = std::exchange(newest_config_, *next);
  reload_waiters_.push_back(std::move(done));
  reloading_ = true;
  handle(supervisor::ReloadRequested{by, settings_of(*newest_config_, same_count ? 0 : newest_config_->workers.count.value_or(0))});
}

/// An error if it is not valid, or changes what only a new master can change; says every one of these.
Result<std::shared_ptr<const config::Config>> Master::read_next_config() const {
  config::Loaded loaded = read_config_();
  if (!loaded.problems.empty()) return Error{config::format_problems(loaded.problems, "error")};
  std::string refused;
  for (const config::Change& change : config::changes(*newest_config_, loaded.config)) {
    if (change.option->apply != config::Apply::restart) continue;
    refused += (refused.empty() ? "" : "; ") + std::string(change.option->path) + " cannot change without a restart (from " + change.before + " to " +
               change.after + ")";
  }
  if (!refused.empty()) return Error{refused};
  return std::make_shared<const config::Config>(std::move(loaded.config));
}

void Master::perform(const supervisor::ReloadEnded& action) {
  if (reloading_ && !action.good) newest_config_ = std::move(config_before_);  // what serves
  if (action.good) take_over_settings();
  reloading_ = false;
  forget_unused_configs();
  for (const ReloadDone& done : std::exchange(reload_waiters_, {})) done(action);
}

void Master::perform(const supervisor::ReloadAgain& action) {
  std::vector<ReloadDone> waiters = std::exchange(next_reload_waiters_, {});
  request_reload(action.by, [waiters = std::move(waiters)](const supervisor::ReloadEnded& ended) {
    for (const ReloadDone& done : waiters) done(ended);
  });
}

/// What the master itself goes by; the workers have theirs from their mold.
void Master::take_over_settings() {
  log::start(ipc::log_settings(newest_config_->log, logs_.log()), "master");
  measure_.use(newest_config_->memory);
  if (cgroups_) cgroups_->limit(newest_config_->memory.hard);
}

void Master::forget_unused_configs() {
  const int current = supervisor_.snapshot().generation;
  std::erase_if(configs_, [&](const auto& entry) {
    const int generation = entry.first;
    const bool has_workers = std::any_of(workers_.begin(), workers_.end(), [&](const auto& worker) { return worker.second->generation == generation; });
    return generation != current && !has_workers && find_mold(generation) == nullptr;
  });
}

}  // namespace serval::master
