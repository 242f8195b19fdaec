#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "config/reading.hpp"
#include "master/admin.hpp"
#include "master/children.hpp"
#include "master/clock_watch.hpp"
#include "master/config_reader.hpp"
#include "master/control.hpp"
#include "master/exits.hpp"
#include "master/farewell.hpp"
#include "master/generations.hpp"
#include "master/handover.hpp"
#include "master/inbox.hpp"
#include "master/inheritance.hpp"
#include "master/launcher.hpp"
#include "master/looks.hpp"
#include "master/orders.hpp"
#include "master/pidfile.hpp"
#include "master/programs.hpp"
#include "master/reaper.hpp"
#include "master/rebuild_watch.hpp"
#include "master/reloads.hpp"
#include "master/signals.hpp"
#include "master/stack_names.hpp"
#include "master/tell.hpp"
#include "master/upgrades.hpp"
#include "master/worker_memory.hpp"
#include "master/worker_profiles.hpp"
#include "master/worker_reports.hpp"
#include "master/worker_stacks.hpp"
#include "supervisor/supervisor.hpp"

namespace serval::master {

/// What a master begins with.
struct MasterSetup {
  Generation first;         ///< that workers come from
  GenerationMap others{};   ///< of an earlier version of serval in this process: all that live
  config::Sources sources;  ///< where a reload gets its configuration
  int workers = 1;
  std::vector<std::string> arguments;  ///< the command line of the server
  bool watch = false;                  ///< reload whenever what runs is rebuilt
  std::unique_ptr<Pidfile> pidfile;
};

/// The event loop of the master: events from its parts (signals, messages, exits, commands, time) go to the supervisor,
/// and each action that it answers with to the part that performs it. One thread; nothing in here blocks. Never loads
/// the app and never reads a byte that came over the network.
class Master {
 public:
  /// `resumed`: where an earlier version of serval in this process was, which is gone on with; nullptr: there was none.
  /// It has been read without an error; its descriptors are ours from here. The configuration and the number of workers
  /// in `setup` are those of the running server already.
  explicit Master(MasterSetup setup, const Handover* resumed = nullptr);
  Master(const Master&) = delete;
  Master& operator=(const Master&) = delete;

  /// Where the first generation listens. Before run().
  void listen(Listeners listeners, ProgramListeners of_programs);
  /// Until the supervisor is finished and no child is left. Returns the exit code.
  int run();

 private:
  Operations operations();
  void handle(supervisor::Event event);
  void arm_timer();
  void perform(const supervisor::Action& action);
  void finish(const supervisor::Finish& action);
  void obey(const SignalOrder& order);
  std::string reopen_logs();
  void report(supervisor::Log line);
  Handover hand_over() const;
  void say_last_lines();
  void upgrade_if_possible();
  std::vector<config::WatchedFile> watched_files() const;
  void begin_anew(const std::vector<config::WatchedFile>& files);

  // What is given to the parts.
  const Tell tell_ = [this](supervisor::Event event) { handle(std::move(event)); };
  const Report report_ = [this](supervisor::Log line) { report(std::move(line)); };

  // What there is.
  const std::unique_ptr<Pidfile> pidfile_;
  const bool resumed_;
  const bool watching_;
  boost::asio::io_context io_{1};
  boost::asio::steady_timer timer_{io_};
  Inheritance inheritance_;
  supervisor::Supervisor supervisor_;
  std::deque<supervisor::Event> events_;
  bool handling_ = false;
  Generations generations_;
  Children children_;
  Reaper reaper_{[this](const os::ChildExit& exit) { children_.note_early_exit(exit); }};
  WorkerMemory memory_;

  // What its processes say, and what they are told.
  StackNames names_;
  WorkerStacks stacks_;
  WorkerProfiles profiles_{io_, children_};
  WorkerReports reports_{children_, generations_, names_, tell_, report_};
  Launcher launcher_{
      {io_, children_, generations_, inheritance_, memory_, reaper_},
      {.tell = tell_,
       .on_mold_packet = [this](int mold, const auto& packet) { inbox_.on_mold_packet(mold, packet); },
       .on_worker_packet = [this](int slot, const auto& packet) { inbox_.on_worker_packet(slot, packet); },
       .on_mold_exit = [this](int mold, const auto& exit) { exits_.mold_exited(mold, exit); },
       .on_worker_exit = [this](int slot, const auto& exit) { exits_.worker_exited(slot, exit); }}};
  TaskForks task_forks_{children_, [this](int id, Result<pid_t> pid, UniqueFd begin) {
                          programs_.on_forked(id, std::move(pid), std::move(begin));
                        }};
  Inbox inbox_{{children_, generations_, launcher_, task_forks_, reports_, stacks_, profiles_}, tell_, report_};
  Exits exits_{
      {children_, generations_, task_forks_, stacks_, profiles_, memory_, inheritance_.scoreboard, supervisor_}, tell_};
  Programs programs_{{io_, generations_, reaper_, memory_, children_, task_forks_}, tell_};
  Orders orders_{children_, generations_, tell_};
  Looks looks_{{children_, generations_, memory_, inheritance_.scoreboard}, tell_};

  // What users ask for.
  ConfigReader reader_;
  Reloads reloads_;
  Upgrades upgrades_;
  RebuildWatch rebuild_watch_{io_, [this] { return watched_files(); },
                               [this](const auto& files) { begin_anew(files); }};
  Signals signals_{
      io_, {.child_ended = [this] { reaper_.reap(); }, .order = [this](const SignalOrder& order) { obey(order); }}};
  Admin admin_{
      {io_, reaper_, inheritance_}, [this] { return control_.status_for_admin(); }, [this] { control_.look_again(); }};
  ClockWatch clock_watch_{io_, [this] {
                            if (!farewell_.begun()) handle(supervisor::Tick{});
                          }};
  Farewell farewell_{io_, names_, [this] { reaper_.reap(); }};
  Control control_;  ///< shows what is above
};

}  // namespace serval::master
