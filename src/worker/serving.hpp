#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "app/app.hpp"
#include "config/config.hpp"
#include "http/access_log.hpp"
#include "ipc/channel.hpp"
#include "ipc/heritage.hpp"
#include "ipc/messages.hpp"
#include "scoreboard/writer.hpp"
#include "server/hub.hpp"
#include "worker/accounting.hpp"
#include "worker/app_handler.hpp"
#include "worker/app_readiness.hpp"
#include "worker/descriptors.hpp"
#include "worker/drain.hpp"
#include "worker/intake.hpp"
#include "worker/memory_keeper.hpp"
#include "worker/own_fds.hpp"
#include "worker/pause_gate.hpp"
#include "worker/placement/fleet_view.hpp"
#include "worker/placement/load_shedding.hpp"
#include "worker/placement/lobby_sender.hpp"
#include "worker/placement/rebalancer.hpp"
#include "worker/placement/side_changes.hpp"
#include "worker/probes.hpp"
#include "worker/profiler.hpp"
#include "worker/stack_reports.hpp"
#include "worker/thread_stacks.hpp"
#include "worker/threads/handler_pool.hpp"
#include "worker/tracing.hpp"

namespace serval::worker {

/// The parts that serve, put together: what each hears from which other is said here and nowhere else. Loop only, but
/// for what the parts say themselves. Life time: made before the loop runs, destroyed after it has ended.
class Serving {
 public:
  struct Setting {
    const ipc::Heritage& heritage;
    app::App& app;
    scoreboard::Memory& scoreboard;
    int seat;                   ///< on the scoreboard
    int known_as;               ///< by the app, commands and the log
    std::int64_t max_requests;  ///< after which the master is told that this worker is spent; 0: never
    server::Settings engine;
    http::AccessFormat access_format;
    std::function<bool(const ipc::FromWorker&)> tell_master;  ///< false: there is none any more
    /// It cannot serve well any more, for the reason given: another worker should, and this one leave.
    std::function<void(const std::string& why, bool can_tell_master)> on_unfit;
  };
  Serving(boost::asio::io_context& io, Setting setting);

  /// The app has said for the first time that it is ready, and there are threads to ask it on.
  void start_asking() { readiness_.start(); }
  /// Says several times within workers.heartbeat_timeout that the loop turns, and keeps house.
  void start_beating();
  /// Looks from now on whether the app leaves our descriptors alone, those of the event loop and the channel among
  /// them; until the drain, in which they are closed one after another, and at the event loop until it has ended.
  void watch_own_fds(const ipc::Channel& channel, const std::vector<int>& loop_fds);
  /// The new log and access log, each only if it is a file.
  void reopen_logs(std::vector<UniqueFd> files);
  /// Nothing gets to the app, until resume(); `quiet` is called once all that it had has been answered, unless resume()
  /// comes before.
  void pause(std::function<void()> quiet);
  void resume();
  /// What a pause holds back gets its turn, though new connections do not.
  void admit_held() { gate_.admit(); }

  std::size_t connections() { return hub_.connections().size(); }
  int running() const { return pool_.running(); }

 private:
  const Setting setting_;
  const config::Config& config_;
  boost::asio::io_context& io_;
  scoreboard::WorkerBoard board_;
  OwnFds own_fds_;
  Tracing tracing_;
  ThreadStacks stacks_;
  StackReports stack_reports_;
  Profiler profiler_;
  http::Farewell farewell_;
  HandlerPool pool_;
  placement::FleetView fleet_;
  placement::LoadShedding shedding_;
  placement::SideChanges side_changes_;
  PauseGate gate_;
  OverdueHandlers overdue_;
  AppHandler handler_;
  AppReadiness readiness_;
  Probes probes_;
  Accounting accounting_;
  placement::LobbySender lobby_;
  server::Hub hub_;
  Descriptors descriptors_;
  placement::Rebalancer rebalancer_;
  Intake intake_;
  Drain drain_;
  MemoryKeeper memory_;
  boost::asio::steady_timer beats_;

 public:
  // For the worker's own life.
  scoreboard::WorkerBoard& board() { return board_; }
  OwnFds& own_fds() { return own_fds_; }
  StackReports& stack_reports() { return stack_reports_; }
  Profiler& profiler() { return profiler_; }
  HandlerPool& pool() { return pool_; }
  Accounting& accounting() { return accounting_; }
  Intake& intake() { return intake_; }
  Drain& drain() { return drain_; }

 private:
  server::Handler& first_handler();
  HandlerPool::Hooks pool_hooks();
  PauseGate::Hooks gate_hooks();
  AppReadiness::Parts readiness_parts();
  Accounting::Setting accounting_setting();
  placement::LobbySender::Hooks lobby_hooks();
  Drain::Parts drain_parts();
  void beat();
  void on_own_fd_lost(const std::string& which);
  void on_pool_changed();
  void on_lobby_abandoned();
  bool nothing_in_progress();
  bool any_request();
  Readiness server_readiness();
};

}  // namespace serval::worker
