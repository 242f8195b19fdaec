#include <algorithm>
#include <string>
#include <utility>

#include "base/log.hpp"
#include "config/diff.hpp"
#include "ipc/heritage.hpp"
#include "master/master.hpp"

// What a reload needs of the shell: the configuration as it is on disk now, what of it may change, and which commands
// wait for the end.
namespace serval::master {

/// `done` is called once: when it has ended, or could not even begin. A request that comes while one is under way is
/// told of the next one.
void Master::request_reload(const std::string& by, ReloadDone done) {
  if (reader_.busy()) {
    read_again_by_ = by;  // the file may have been read before it was as it is now
    return next_reload_waiters_.push_back(std::move(done));
  }
  if (reloading_) {
    next_reload_waiters_.push_back(std::move(done));
    return handle(supervisor::ReloadRequested{by});
  }
  reader_.read(sources_, [this, by, done = std::move(done)](const Result<config::Reading>& read) {
    on_config_read(by, done, read);
  });
}

void Master::on_config_read(const std::string& by, ReloadDone done, const Result<config::Reading>& read) {
  control_.look_after_socket();
  const std::string again_by = std::exchange(read_again_by_, {});
  auto config = check_next(read);
  auto next = config ? open_next(*config) : Error{config.error()};
  if (!next) {
    if (read && !read->real_file.empty()) {
      log::error("reload refused, nothing has changed", {{"by", by}, {"why", next.error()}, {"file", read->real_file}});
    } else {
      log::error("reload refused, nothing has changed", {{"by", by}, {"why", next.error()}});
    }
    handle(supervisor::ReloadRefused{next.error()});
    done({{.generation = supervisor_.snapshot().generation, .good = false, .why = next.error()}});
    return again_by.empty() ? void() : perform(supervisor::ReloadAgain{again_by});
  }
  next->config_file = read->real_file;
  if (!next->config_file.empty()) log::info("configuration read", {{"file", next->config_file}});
  const bool same_count = newest_.config->workers.count == next->config->workers.count;
  for (const config::Change& change : config::changes(*newest_.config, *next->config)) {
    if (change.how.empty()) {
      log::info("configuration changes", {{"key", change.key}, {"from", change.before}, {"to", change.after}});
    } else {
      log::info("configuration changes", {{"key", change.key}, {"how", change.how}});
    }
  }
  before_ = std::exchange(newest_, std::move(*next));
  if (const auto serving = generations_.find(supervisor_.snapshot().generation); serving != generations_.end())
    before_.build = serving->second.build;
  reload_waiters_.push_back(std::move(done));
  reloading_ = true;
  handle(supervisor::ReloadRequested{
      by, settings_of(*newest_.config, same_count ? 0 : newest_.config->workers.count.value_or(0))});
  if (again_by.empty()) return;
  if (reloading_) return handle(supervisor::ReloadRequested{again_by});
  perform(supervisor::ReloadAgain{again_by});  // it has ended already: refused
}

/// An error if it is not valid, or changes what only a new master can change; says every one of these.
Result<std::shared_ptr<const config::Config>> Master::check_next(const Result<config::Reading>& read) const {
  if (!read) return Error{read.error()};
  if (!read->problems.empty()) return Error{read->problems};
  std::string refused;
  for (const config::Change& change : config::changes(*newest_.config, read->config)) {
    if (change.option->apply != config::Apply::restart) continue;
    refused += (refused.empty() ? "" : "; ") + change.key + " cannot change without a restart";
    if (change.how.empty()) refused += " (from " + change.before + " to " + change.after + ")";
  }
  if (!refused.empty()) return Error{refused};
  return std::make_shared<const config::Config>(read->config);
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
  for (const auto& [number, generation] : generations_)
    open.insert(open.end(), generation.listeners.begin(), generation.listeners.end());
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
    report.config_file_before = reloading_ ? before_.config_file : newest_.config_file;
    report.config_file = newest_.config_file;
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
    return generation != current && !children_.any_of(generation);
  });
}

}  // namespace serval::master
