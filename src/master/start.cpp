#include "master/start.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <string>
#include <utility>

#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "config/reading.hpp"
#include "ipc/heritage.hpp"
#include "master/master.hpp"
#include "master/obstacles.hpp"
#include "master/open_files.hpp"
#include "master/pidfile.hpp"
#include "master/stored_listeners.hpp"
#include "master/worker_count.hpp"
#include "os/cpus.hpp"
#include "os/fork.hpp"
#include "os/memory.hpp"
#include "os/own_fds.hpp"
#include "os/process_title.hpp"
#include "os/signals.hpp"
#include "os/spawn.hpp"

namespace serval::master {
namespace {

/// The app's, if there is one, and those of programs.
void listen(Master& master, const config::Config& config) {
  std::vector<os::NamedSocket> passed = os::take_listen_fds();
  auto listeners = config.has_app() ? open_listeners(config.server, {}, passed) : Listeners();
  if (!listeners) throw StartupError(exit_code::cannot_create, listeners.error());
  auto of_programs = open_program_listeners(config, {}, passed);
  if (!of_programs) throw StartupError(exit_code::cannot_create, of_programs.error());
  drop_stored(passed);
  for (const os::NamedSocket& socket : passed) {
    log::warning("socket from systemd is not used by any server.bind, closing it", {{"name", socket.name}});
  }
  master.listen(std::move(*listeners), std::move(*of_programs));
}

int supervise(Master& master) {
  const int code = master.run();
  log::info("stopped", {{"exit_code", code}});
  log::finish();
  return code;
}

}  // namespace

int start(const config::Loaded& loaded, const config::Sources& sources, bool watch) {
  const config::Config& config = loaded.config;
  if (const auto wrong = account_obstacles(config.server); !wrong.empty())
    throw StartupError(exit_code::config, join(wrong, "\n"));
  std::vector<std::string> arguments = os::own_command_line();
  os::react_as(os::Process::master);
  ::umask(static_cast<mode_t>(config.server.umask));  // also for the log, pid and socket files
  auto logs = LogFiles::open(config.log);
  if (!logs) throw StartupError(exit_code::cannot_create, logs.error());
  os::hold_signals();  // until the master has handlers: process 1 would lose one that comes before, others would leave
                       // their files behind
  Generation first{.config = std::make_shared<const config::Config>(config),
                   .logs = std::make_shared<LogFiles>(std::move(*logs)),
                   .listeners = {}};
  if (!loaded.file.empty()) first.config_file = config::real_path(loaded.file);
  log::start(ipc::log_settings(config.log, first.logs->log()), "master");
  os::set_title("serval: master " + config.server.name);

  const os::FdLimit files = os::raise_fd_limit();
  const os::Cpus cpus = os::usable_cpus();
  WorkerCount count = count_workers(config.workers.count, cpus.usable, cpus.why, os::memory_limit());
  if (!config.has_app()) count = {.workers = 0, .why = "there is no app"};
  log::info("starting", {{"version", SERVAL_VERSION},
                         {"name", config.server.name},
                         {"workers", count.workers},
                         {"programs", config.programs.size()},
                         {"cpus", cpus.usable},
                         {"why", count.why},
                         {"open_files", files.now}});
  if (!first.config_file.empty()) log::info("configuration read", {{"file", first.config_file}});
  if (const auto why = too_few_open_files(files.now, count.workers, config.server.bind.size())) {
    throw StartupError(exit_code::cannot_create, *why);
  }

  if (const auto done = os::become_subreaper(); !done) throw StartupError(exit_code::internal, done.error());
  auto pidfile = std::make_unique<Pidfile>(config.server.pidfile);
  Master master({.first = std::move(first),
                 .sources = sources,
                 .workers = count.workers,
                 .arguments = std::move(arguments),
                 .watch = watch,
                 .pidfile = std::move(pidfile)});
  // Only now: a second server of this name has ended at the control socket before it takes connections away from the
  // first.
  listen(master, config);
  return supervise(master);
}

Result<void> check_adoption(const Handover& handover) {
  if (const auto configs = configs_of(handover); !configs) return Error{configs.error()};
  if (const auto scoreboard = scoreboard::Memory::map(handover.scoreboard_fd); !scoreboard)
    return Error{scoreboard.error()};
  return {};
}

int adopt(const Handover& handover, const config::Sources& sources, bool watch) {
  os::react_as(os::Process::master);
  for (const int fd : handover.fds()) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  const auto configs = configs_of(handover);
  if (!configs)
    throw StartupError(exit_code::internal, configs.error());  // the check was asked before: it has been skipped
  GenerationMap generations = generations_of(handover, *configs);
  Generation current = generations.at(handover.supervisor.current);
  const config::Config& config = *current.config;
  log::start(ipc::log_settings(config.log, current.logs->log()), "master");
  os::set_title("serval: master " + config.server.name);
  log::info("upgraded", {{"from", handover.version}, {"to", SERVAL_VERSION}});

  if (const auto done = os::become_subreaper(); !done) throw StartupError(exit_code::internal, done.error());
  auto pidfile = std::make_unique<Pidfile>(config.server.pidfile, UniqueFd(handover.pidfile_fd));
  Master master({.first = std::move(current),
                 .others = std::move(generations),
                 .sources = sources,
                 .workers = handover.supervisor.workers,
                 .arguments = handover.arguments,
                 .watch = watch,
                 .pidfile = std::move(pidfile)},
                &handover);
  return supervise(master);
}

}  // namespace serval::master
