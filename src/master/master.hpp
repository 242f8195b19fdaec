#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/reading.hpp"
#include "ipc/lobby.hpp"
#include "ipc/messages.hpp"
#include "master/children.hpp"
#include "master/config_reader.hpp"
#include "master/control.hpp"
#include "master/farewell.hpp"
#include "master/generations.hpp"
#include "master/handover.hpp"
#include "master/measure.hpp"
#include "master/pidfile.hpp"
#include "master/processes.hpp"
#include "master/reaper.hpp"
#include "master/reloads.hpp"
#include "master/stack_names.hpp"
#include "master/worker_stacks.hpp"
#include "os/oom.hpp"
#include "os/program_file.hpp"
#include "os/terminal.hpp"
#include "os/wait.hpp"
#include "os/worker_cgroups.hpp"
#include "scoreboard/memory.hpp"
#include "supervisor/supervisor.hpp"

namespace serval::master {

/// What a master begins with.
struct Beginning {
  Generation first;      ///< that workers come from
  GenerationMap others{};  ///< of an earlier version of serval in this process: all that live
  config::Sources sources;  ///< where a reload gets its configuration
  int workers = 1;
  std::vector<std::string> arguments;  ///< the command line of the server
  std::unique_ptr<Pidfile> pidfile;
};

/// The event loop of the master: turns signals, messages, exits and time into events for the supervisor, and performs
/// its actions. One thread; nothing in here blocks. Never loads the app and never reads a byte that came over the
/// network.
class Master {
 public:
  explicit Master(Beginning beginning);
  /// Goes on where an earlier version of serval in this process was. `handover` has been read without an error; its
  /// descriptors are ours from here. Of `beginning` the configuration and the number of workers are those of the
  /// running server already.
  Master(Beginning beginning, const Handover& handover);

  ~Master();

  /// Where the first generation listens. Before run().
  void take(Listeners listeners) { generations_.listen(std::move(listeners)); }
  /// Until the supervisor is finished and no child is left. Returns the exit code.
  int run();

 private:
  void listen_to_signals();
  Operations operations();
  WorkerStacks::Hooks ways_to_workers();

  // events (master.cpp)
  void handle(supervisor::Event event);
  void arm_timer();
  void await_signal();
  void on_signal(int number);
  void on_hangup(const std::string& name);
  void stop(const std::string& by);
  std::string reopen_logs();
  void mold_exited(int generation, const os::Exit& exit);
  void on_mold_message(int generation, const ipc::Packet& packet);
  void on_fork_answered(MoldProcess& mold, const ipc::Packet& packet, Result<pid_t> pid);
  void drop(const ipc::Packet& packet, std::string_view from, std::string_view why);
  MoldProcess* find_mold(int generation) { return children_.find_mold(generation); }
  Reloads::Hooks reload_hooks();
  void on_worker_message(int slot, const ipc::Packet& packet);
  void on_timed_out(int slot, const ipc::TimedOut& message);
  void on_crashed(int slot, const ipc::Crashed& message);
  void ask_stacks(std::optional<int> slot, const control::Responder& responder);
  pid_t layout_of(int slot, int generation, pid_t pid);
  void report(supervisor::Log line);
  void worker_exited(int slot, const os::Exit& exit);
  void on_worker_exit(const WorkerProcess& worker, const os::Exit& exit);
  void add_to_cgroup(const WorkerProcess& worker);
  bool oom_killer_was_here();
  WorkerProcess* find_worker(int slot) { return children_.find_worker(slot); }

  // upgrade.cpp
  void take_over(const Handover& handover);
  Handover hand_over();
  void check_ended(const os::Exit& exit);
  void upgrade_if_possible();
  Result<void> exec_successor();

  // actions (perform.cpp)
  void perform(const supervisor::StartMold& action);
  void perform(const supervisor::StopMold& action);
  void perform(const supervisor::ReopenMold& action);
  void perform(const supervisor::ForkWorker& action);
  void tell(WorkerProcess& worker, const ipc::ToWorker& message, const std::vector<int>& fds = {});
  void perform(const supervisor::DrainWorker& action);
  void perform(const supervisor::ReopenWorker& action);
  void perform(const supervisor::PauseWorker& action);
  void perform(const supervisor::ResumeWorker& action);
  void perform(const supervisor::Kill& action);
  void perform(const supervisor::LookAtWorkers& action);
  void perform(const supervisor::InspectApp& action);
  void perform(const supervisor::ReloadEnded& action);
  void perform(const supervisor::ReloadAgain& action);
  void perform(const supervisor::CheckUpgrade&);
  void perform(const supervisor::UpgradeRefused& action);
  void perform(const supervisor::RetireListeners&);
  void perform(const supervisor::RefuseConnections&);
  void perform(const supervisor::Notify& action);
  void perform(const supervisor::Log& action);
  void perform(const supervisor::Finish& action);
  Result<pid_t> start_mold(int generation);
  Result<std::unique_ptr<WorkerProcess>> prepare_worker(const supervisor::ForkWorker& action);
  void send_forks(MoldProcess& mold);

  const std::vector<std::string> arguments_;
  const std::unique_ptr<Pidfile> pidfile_;
  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_{io_};
  boost::asio::steady_timer timer_{io_};
  UniqueFd life_read_;   ///< inherited by all children
  UniqueFd life_write_;  ///< held by us alone, and never written to: its end is our end
  ipc::Lobby lobby_;     ///< inherited by all children
  scoreboard::Memory scoreboard_;
  supervisor::Supervisor supervisor_;
  StackNames stacks_;
  WorkerStacks worker_stacks_;  ///< asked for by commands
  Measure measure_;
  os::OomCounter oom_;
  std::optional<os::WorkerCgroups> cgroups_;  ///< none: not delegated, or no hard ceiling
  std::uint64_t oom_kills_ = 0;  ///< that we know of
  std::deque<supervisor::Event> events_;
  bool handling_ = false;
  Children children_;
  Reaper reaper_{[this](const os::Exit& exit) { children_.note_early_exit(exit); }};
  Generations generations_;
  ConfigReader reader_;
  Reloads reloads_;
  /// A new program that looks at what it would go on with.
  struct Check {
    pid_t pid = 0;
    os::ProgramFile program;
    std::string nonce;
    UniqueFd proof_fd;
    UniqueFd error_fd;  ///< what it complains of
    boost::asio::steady_timer timer;
    bool timed_out = false;  ///< it has been killed for that
  };
  std::optional<Check> check_;
  const bool had_terminal_ = os::has_terminal();
  bool terminal_closed_ = false;
  /// One that has proved that it can take over.
  struct Successor {
    os::ProgramFile program;
    std::string version;
  };
  std::optional<Successor> successor_;
  AppFile tried_app_;        ///< the last one that has been loaded anew because the app crashed over and over
  bool taken_over_ = false;  ///< from an earlier version
  Farewell farewell_{io_, stacks_, [this] { reaper_.reap(); }};
  Control control_;  ///< shows what is above
};

}  // namespace serval::master
