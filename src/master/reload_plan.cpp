#include "master/reload_plan.hpp"

#include <utility>

#include "base/text.hpp"
#include "config/validate.hpp"

namespace serval::master {
namespace {

/// It has most likely not been given.
bool is_name_of_library(const config::Config& config) {
  return config.server.name == config::name_from_library(config.app.library);
}

}  // namespace

Result<void> may_replace(const config::Config& running, const Result<config::Reading>& read) {
  if (!read) return Error{read.error()};
  if (!read->problems.empty()) return Error{read->problems};
  if (running.has_app() != read->config.has_app())
    return Error{std::string("app.library cannot ") + (running.has_app() ? "go" : "come") + " without a restart"};
  std::string refused;
  for (const config::Change& change : config::changes(running, read->config)) {
    if (change.option->apply != config::Apply::restart) continue;
    refused += (refused.empty() ? "" : "; ") + change.key + " cannot change without a restart";
    if (change.how.empty()) refused += " (from " + change.before + " to " + change.after + ")";  // no secret
    if (change.option->path == "server.name" && is_name_of_library(read->config)) {
      refused += ", which is the name of app.library: name = " + quoted(change.before) + " under [server] keeps it";
    }
  }
  if (!refused.empty()) return Error{refused};
  return {};
}

/// Without a configuration of its own (the app was loaded anew since it crashed) nothing has changed but the build.
ReloadReport report_of(const supervisor::ReloadEnded& ended, const Generations& generations) {
  ReloadReport report{.ended = ended};
  if (!ended.good) return report;
  const Generation& newest = generations.newest();
  report.config_file_before = report.config_file = newest.config_file;
  report.build = generations.at(ended.generation).build;
  if (generations.reloading()) {
    const Generation& before = generations.in_force();
    report.changes = config::changes(*before.config, *newest.config);
    report.config_file_before = before.config_file;
    report.build_before = before.build;
  }
  return report;
}

void ReloadWaiters::tell(const ReloadReport& report) {
  for (const ReloadDone& done : std::exchange(this_, {})) done(report);
}

ReloadDone ReloadWaiters::take_next() {
  return [waiters = std::exchange(next_, {})](const ReloadReport& report) {
    for (const ReloadDone& done : waiters) done(report);
  };
}

}  // namespace serval::master
