#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "config/config.hpp"
#include "config/reading.hpp"
#include "master/children.hpp"
#include "master/config_reader.hpp"
#include "master/generations.hpp"
#include "master/reload_plan.hpp"
#include "master/tell.hpp"
#include "supervisor/supervisor.hpp"

namespace serval::master {

/// What a reload needs of the shell: the configuration as it is on disk now, what of it may change, and which commands
/// wait for the end. Borrows all but the sources; one thread, that of the io_context.
class Reloads {
 public:
  struct Hooks {
    Tell tell;
    std::function<void()> configuration_read;                             ///< or not to be had: a reading has ended
    std::function<Result<void>(const config::Config&)> can_put_in_force;  ///< asked before anything is begun
    std::function<void(const config::Config&)> put_in_force;  ///< what of it the master itself goes by, but for its log
  };
  Reloads(ConfigReader& reader, config::Sources sources, Generations& generations, const Children& children,
          const supervisor::Supervisor& supervisor, Hooks hooks);
  Reloads(const Reloads&) = delete;
  Reloads& operator=(const Reloads&) = delete;

  const config::Sources& sources() const { return sources_; }

  /// `done` is called once: when it has ended, or could not even begin. A request that comes while one is under way is
  /// told of the next one.
  void request(
      const std::string& by, ReloadDone done = [](const auto&) {});

  /// To the generation that serves beside the new one while a reload is under way, which ends it, or else to the one
  /// that is kept, if there is one; `done` likewise. Nothing is read.
  void roll_back(const std::string& by, ReloadDone done);

  // the supervisor's actions
  void perform(const supervisor::ReloadEnded& action);
  void perform(const supervisor::ReloadAgain& action);

 private:
  void on_config_read(const std::string& by, ReloadDone done, const Result<config::Reading>& read);
  void refuse(const std::string& by, const ReloadDone& done, const std::string& why, const std::string& file);
  void begin(const std::string& by, ReloadDone done, Generation next);
  /// What the supervisor goes by in it; the generation is the newest from here on.
  supervisor::Settings replace_newest(Generation next, ReloadDone done);
  void call_off(const std::string& by, const ReloadDone& done);
  Result<Generation> kept_one() const;
  Result<Generation> open_next(const Result<config::Reading>& read) const;

  ConfigReader& reader_;
  const config::Sources sources_;
  Generations& generations_;
  const Children& children_;
  const supervisor::Supervisor& supervisor_;
  const Hooks hooks_;
  ReloadWaiters waiters_;
  std::string read_again_by_;  ///< the signal or command that came while the configuration was being read; or empty
};

}  // namespace serval::master
