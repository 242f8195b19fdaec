#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/diff.hpp"
#include "config/reading.hpp"
#include "master/generations.hpp"
#include "supervisor/actions.hpp"

/// What is decided about a reload before and after the supervisor's rollout. Pure.
namespace serval::master {

/// How a reload has ended, and what is different since.
struct ReloadReport {
  supervisor::ReloadEnded ended;
  std::vector<config::Change> changes{};  ///< of the configuration
  std::string build_before{};             ///< of the app's library (app/build_id.hpp); empty: it has none
  std::string build{};
  std::string config_file_before{};       ///< that was read, links followed; empty: none
  std::string config_file{};
};
using ReloadDone = std::function<void(const ReloadReport&)>;

/// An error if what has been read cannot take the place of `running`: there is nothing, it is not valid, or it changes
/// what only a new master can change; says every one of these.
Result<void> may_replace(const config::Config& running, const Result<config::Reading>& read);

/// While `generations` still knows what there was before.
ReloadReport report_of(const supervisor::ReloadEnded& ended, const Generations& generations);

/// Which reload each command waits for. A request that comes while one is under way is told of the next one: the file
/// may have been read before it was as it is now. Each is told once.
class ReloadWaiters {
 public:
  void wait_for_this(ReloadDone done) { this_.push_back(std::move(done)); }
  void wait_for_next(ReloadDone done) { next_.push_back(std::move(done)); }
  /// The one under way has ended. Those that are told may ask for the next one.
  void tell(const ReloadReport& report);
  /// The next one begins: all that wait for it, as one.
  ReloadDone take_next();

 private:
  std::vector<ReloadDone> this_;
  std::vector<ReloadDone> next_;
};

}  // namespace serval::master
