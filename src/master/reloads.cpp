#include "master/reloads.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "config/diff.hpp"
#include "ipc/heritage.hpp"
#include "master/settings.hpp"

namespace serval::master {
namespace {

void log_changes(const config::Config& before, const config::Config& after) {
  for (const config::Change& change : config::changes(before, after)) {
    if (change.how.empty()) {
      log::info("configuration changes", {{"key", change.key}, {"from", change.before}, {"to", change.after}});
    } else {
      log::info("configuration changes", {{"key", change.key}, {"how", change.how}});
    }
  }
}

}  // namespace

Reloads::Reloads(ConfigReader& reader, config::Sources sources, Generations& generations, const Children& children,
                 const supervisor::Supervisor& supervisor, Hooks hooks)
    : reader_(reader),
      sources_(std::move(sources)),
      generations_(generations),
      children_(children),
      supervisor_(supervisor),
      hooks_(std::move(hooks)) {}

void Reloads::request(const std::string& by, ReloadDone done) {
  if (reader_.busy()) {
    read_again_by_ = by;  // the file may have been read before it was as it is now
    return waiters_.wait_for_next(std::move(done));
  }
  if (generations_.reloading()) {
    waiters_.wait_for_next(std::move(done));
    return hooks_.tell(supervisor::ReloadRequested{by});
  }
  reader_.read(sources_, [this, by, done = std::move(done)](const Result<config::Reading>& read) {
    on_config_read(by, done, read);
  });
}

void Reloads::on_config_read(const std::string& by, ReloadDone done, const Result<config::Reading>& read) {
  hooks_.configuration_read();
  const std::string again_by = std::exchange(read_again_by_, {});
  if (auto next = open_next(read)) {
    begin(by, std::move(done), std::move(*next));
  } else {
    refuse(by, done, next.error(), read ? read->real_file : "");
  }
  if (again_by.empty()) return;
  if (generations_.reloading()) return hooks_.tell(supervisor::ReloadRequested{again_by});
  perform(supervisor::ReloadAgain{again_by});  // it has ended already: refused
}

void Reloads::refuse(const std::string& by, const ReloadDone& done, const std::string& why, const std::string& file) {
  if (file.empty()) {
    log::error("reload refused, nothing has changed", {{"by", by}, {"why", why}});
  } else {
    log::error("reload refused, nothing has changed", {{"by", by}, {"why", why}, {"file", file}});
  }
  hooks_.tell(supervisor::ReloadRefused{why});
  done({{.generation = supervisor_.snapshot().generation, .good = false, .why = why}});
}

void Reloads::begin(const std::string& by, ReloadDone done, Generation next) {
  if (!next.config_file.empty()) log::info("configuration read", {{"file", next.config_file}});
  const supervisor::Settings settings = replace_newest(std::move(next), std::move(done));
  hooks_.tell(supervisor::ReloadRequested{by, settings});
}

supervisor::Settings Reloads::replace_newest(Generation next, ReloadDone done) {
  const config::Config& before = *generations_.newest().config;
  const config::Config& after = *next.config;
  log_changes(before, after);
  // A count that stays in the configuration leaves the workers alone: `serval scale` may have changed their number.
  const int workers = before.workers.count == after.workers.count ? 0 : after.workers.count.value_or(0);
  supervisor::Settings settings = settings_of(after, workers);
  generations_.begin_reload(std::move(next), supervisor_.snapshot().generation);
  waiters_.wait_for_this(std::move(done));
  return settings;
}

/// Whoever waits for the reload is told that it has failed.
void Reloads::call_off(const std::string& by, const ReloadDone& done) {
  hooks_.tell(supervisor::ReloadCalledOff{by});
  const int generation = supervisor_.snapshot().generation;
  if (generations_.reloading()) {
    return done(
        {{.generation = generation,
          .good = false,
          .why = "what is under way cannot be called off any more: once it has ended, serval rollback goes back if "
                 "reload.keep is set"}});
  }
  done({{.generation = generation, .good = true, .why = {}, .remark = "the reload was called off"}});
}

void Reloads::roll_back(const std::string& by, ReloadDone done) {
  if (generations_.reloading()) return call_off(by, done);
  auto kept = kept_one();
  if (!kept) {
    log::error("rollback refused, nothing has changed", {{"by", by}, {"why", kept.error()}});
    return done({{.generation = supervisor_.snapshot().generation, .good = false, .why = kept.error()}});
  }
  put_back(kept->listeners, kept->config->server);
  const supervisor::Settings settings = replace_newest(std::move(*kept), std::move(done));
  hooks_.tell(supervisor::RollbackRequested{by, settings});
}

/// As a mold of it would be started.
Result<Generation> Reloads::kept_one() const {
  if (reader_.busy() || generations_.reloading()) return Error{"a reload is under way"};
  const supervisor::Snapshot now = supervisor_.snapshot();
  const auto kept = std::find_if(now.generations.begin(), now.generations.end(), [](const auto& generation) {
    return generation.state == supervisor::GenerationState::kept;
  });
  if (kept == now.generations.end() || !generations_.lives(kept->number))
    return Error{"no generation is kept: reload.keep says for how long the one before a reload is"};
  Generation generation = generations_.at(kept->number);
  for (const auto& listener : generation.listeners) {
    if (!listener->open())
      return Error{"generation " + std::to_string(kept->number) + " listened on " + listener->address() +
                   ", which has been left: reload with the configuration as it was"};
  }
  generation.build.clear();
  return generation;
}

/// Files and sockets that are open already are gone on with. Nothing of it is used yet.
Result<Generation> Reloads::open_next(const Result<config::Reading>& read) const {
  const Generation& newest = generations_.newest();
  if (const auto may = may_replace(*newest.config, read); !may) return Error{may.error()};
  const auto config = std::make_shared<const config::Config>(read->config);
  Generation next{.config = config, .logs = newest.logs, .listeners = {}, .config_file = read->real_file};
  if (!newest.logs->are(config->log)) {
    auto logs = LogFiles::open(config->log);
    if (!logs) return Error{logs.error()};
    next.logs = std::make_shared<LogFiles>(std::move(*logs));
  }
  std::vector<os::NamedSocket> nothing_passed;
  auto listeners =
      config->has_app() ? open_listeners(config->server, generations_.listeners(), nothing_passed) : Listeners();
  if (!listeners) {
    put_back(newest.listeners, newest.config->server);
    return Error{listeners.error()};
  }
  if (const auto can = hooks_.can_put_in_force(*config); !can) {
    put_back(newest.listeners, newest.config->server);
    return Error{can.error()};
  }
  next.listeners = std::move(*listeners);
  auto of_programs = open_program_listeners(*config, newest.program_listeners, nothing_passed);
  if (!of_programs) {
    put_back(newest.listeners, newest.config->server);
    return Error{of_programs.error()};
  }
  next.program_listeners = std::move(*of_programs);
  return next;
}

void Reloads::perform(const supervisor::ReloadEnded& action) {
  if (action.good) {
    generations_.begin(action.generation);  // has been, but where there is no mold
    const Generation& newest = generations_.newest();
    log::start(ipc::log_settings(newest.config->log, newest.logs->log()), "master");
    hooks_.put_in_force(*newest.config);
  }
  const ReloadReport report = report_of(action, generations_);
  generations_.end_reload(action.good);
  if (!action.good) put_back(generations_.newest().listeners, generations_.newest().config->server);
  generations_.forget_unused(supervisor_.snapshot().generation, children_);
  waiters_.tell(report);
}

void Reloads::perform(const supervisor::ReloadAgain& action) { request(action.by, waiters_.take_next()); }

}  // namespace serval::master
