#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "app/app.hpp"
#include "base/network.hpp"
#include "config/config.hpp"
#include "http/request.hpp"
#include "ipc/lobby.hpp"
#include "ipc/messages.hpp"
#include "scoreboard/writer.hpp"
#include "worker/access_log.hpp"
#include "worker/balance.hpp"
#include "worker/body_troubles.hpp"
#include "worker/connection.hpp"
#include "worker/crew.hpp"
#include "worker/deadline_wheel.hpp"
#include "worker/departures.hpp"
#include "worker/duty.hpp"
#include "worker/exchange.hpp"
#include "worker/flood_line.hpp"
#include "worker/last_chances.hpp"
#include "worker/own_fds.hpp"
#include "worker/refusals.hpp"
#include "worker/stack_reports.hpp"
#include "worker/thread_stacks.hpp"
#include "worker/timeout_reports.hpp"
#include "worker/trim.hpp"

namespace serval::worker {

/// What all connections of a worker share: its loop, threads, deadlines, logs and limits. Loop only, but for draining() and says_goodbye().
/// Life time: made before the first connection, destroyed after the last.
class Service {
 public:
  struct Setting {
    const config::Config& config;
    app::App& app;
    scoreboard::Memory& scoreboard;
    int slot;      ///< on the scoreboard
    int known_as;  ///< by the app, commands and the log
    std::int64_t max_requests;  ///< after which the master is told that this worker is spent; 0: never
    std::function<bool(const ipc::FromWorker&)> tell_master;  ///< false: there is none any more
    int access_fd;
    http::AccessFormat access_format;
    std::vector<Network> trusted;
    int cpus;  ///< that may be used
    int lobby_entry_fd = -1;  ///< -1: none
    /// It cannot serve well any more, for the reason given: another worker should, and this one leave.
    std::function<void(const std::string& why, bool can_tell_master)> on_unfit = [](const std::string&, bool) {};
  };
  Service(boost::asio::io_context& io, Setting setting);
  ~Service();

  const config::Config& config;
  app::App& app;
  const int known_as;
  const int pid;
  const http::Limits limits;
  boost::asio::io_context& io;
  scoreboard::WorkerBoard board;
  Crew crew;
  ThreadStacks stacks;
  Departures departures;
  Balance balance;
  Duty duty;
  Refusals refusals;
  FloodLine strays;  ///< what came through the lobby and is no connection
  BodyTroubles body_troubles;
  OwnFds own_fds;

  bool draining() const { return draining_.load(std::memory_order_relaxed); }
  /// Answers close their connections: nobody takes those over.
  bool says_goodbye() const { return says_goodbye_.load(std::memory_order_relaxed); }
  const std::function<bool(std::string_view address)> is_trusted;
  bool proxy_hint_due = true;  ///< nothing has been said yet of a proxy that is not trusted (proxy_hint.hpp); loop only

  /// A connection from a listener; `fd` is an accepted, non-blocking socket.
  void adopt(UniqueFd fd, Peer peer);
  /// One that another worker has begun to serve.
  void adopt(UniqueFd fd, const ipc::Guest& guest, std::string_view unread);
  void remove(Connection& connection);
  /// The one that is about to be taken from a listener or the lobby counts on the scoreboard before this process has it, until it is adopted or
  /// this ends: a worker that is killed right after accept(2) has told the master of each connection that it takes along. At most one too many.
  class Taking {
   public:
    explicit Taking(Service& service) : service_(service) { service_.set_taking(1); }
    ~Taking() {
      if (service_.taking_ != 0) service_.set_taking(0);
    }
    Taking(const Taking&) = delete;
    Taking& operator=(const Taking&) = delete;

   private:
    Service& service_;
  };
  std::size_t connections() const { return connections_.size(); }

  /// Of the headers that are serval's own and that the app sends all the same: whether this one has not been seen before. Any thread.
  bool first_dropped(std::string_view name);

  void set_deadline(Connection& connection, TimePoint deadline);

  /// A connection that has got this descriptor, or a higher one, leaves too few to the app.
  bool crowded(int fd) const { return fd >= crowded_from_; }
  /// Closes connections that wait for a request, those first that have done so for the longest; how many.
  std::size_t make_room();
  /// Somebody waits to be accepted, no descriptor is left, and nobody makes room. True: there is one all the same,
  /// since the worker drains.
  bool starves();
  /// There is one again.
  void is_fed() { starving_since_ = TimePoint::max(); }

  std::unique_ptr<Exchange> lend();
  void take_back(std::unique_ptr<Exchange> exchange);

  /// The master asks where the threads are.
  void report_stacks(std::uint32_t question) { stack_reports_.answer(question); }

  /// The handler of an exchange has run past its deadline; its client is about to get the 504.
  void on_expired(const Exchange& exchange, TimePoint now);
  /// A handler without a client has returned: takes the exchange back.
  void on_abandoned_done(Exchange& exchange);

  /// A request is over.
  void count(const scoreboard::Answered& answered);
  /// From now on no request gets to the crew, until let_in(); what it has already is finished. `quiet` is called once all of that has been
  /// answered, maybe at once, unless let_in() comes before.
  void hold(std::function<void()> quiet);
  bool holds() const { return holds_; }
  /// A connection whose request is complete: on_let_in() is called when its turn has come.
  void park(Connection& connection);
  /// In the order in which they came, as far as the crew's queue has room: nobody is refused for having been held.
  void let_in();
  /// The crew has a job less, or somebody waits.
  void on_crew_changed();
  /// A connection that has just been answered is to go to a sibling: the loop hardly keeps up, and that one's does.
  bool sheds();
  /// The loop turns.
  void beat();
  /// Now and then.
  void housekeep();

  bool logs_access() const { return access_.on(); }
  void log_access(http::AccessRecord record);
  void reopen_access(int new_fd) { access_.reopen(new_fd); }
  void flush_access() { access_.flush(); }

  /// Connections go, whether somebody takes them over or not: to the lobby when they are idle, or with their next answer. The master is told once
  /// nobody new is answered any more; `finished` is called once nothing is left. May be called again when nobody takes over any more.
  void drain(bool succeeded, std::function<void()> finished);
  /// Something ended (a connection, the accepting): calls `finished` if it was the last. `still_accepting` is the listeners' word.
  void check_finished();
  void set_accepting(bool accepting);

  /// Handlers that ran past their deadlines and have not returned within their last second.
  int stuck() const { return chances_.stuck(); }
  /// So no request can be run any more; what waits is refused, and new connections are left to others.
  bool all_stuck() const { return stuck() >= config.workers.threads; }

  /// The requests that are still running are given up: one access line each. The worker exits next.
  std::size_t cut();

  /// The wall clock for a point on the monotonic one.
  std::chrono::system_clock::time_point wall_time(TimePoint at);

 private:
  void add(std::unique_ptr<Connection> connection);
  void set_taking(int count) {
    taking_ = count;
    show_connections();
  }
  void show_connections() { board.set_connections(static_cast<int>(connections_.size()) + taking_); }
  void on_strain(bool strained);
  void say_goodbye();
  void tell_if_left();  ///< a master that knows no lobby does not ask
  void refuse_who_waits();
  void wait_for_chances();
  void on_chances_over();
  void let_in_next();
  void held_changed();
  bool nothing_in_progress() const;
  void tell_if_only_stuck_are_left();
  void give_memory_back();
  void finish_lines();
  void arm(TimePoint at);
  void on_timer();

  const std::function<bool(const ipc::FromWorker&)> tell_master_;
  const std::int64_t max_requests_;
  const std::function<void(const std::string&, bool)> on_unfit_;
  const int fd_limit_;
  const int crowded_from_;
  UniqueFd reserve_;  ///< a descriptor that a drain can do with
  TimePoint starving_since_ = TimePoint::max();
  FloodLine room_;  ///< idle connections were closed for newcomers
  bool told_starved_ = false;
  Trim trim_;
  TimeoutReports timeouts_;
  StackReports stack_reports_;
  LastChances chances_;
  boost::asio::steady_timer chances_timer_;
  bool told_stuck_ = false;

  std::mutex dropped_mutex_;
  std::set<std::string> dropped_names_;  ///< in lower case

  std::atomic<bool> share_{false};  ///< some connections, with siblings
  int to_shed_ = 0;

  std::atomic<bool> draining_{false};
  std::atomic<bool> says_goodbye_{false};
  bool accepting_ = false;
  bool holds_ = false;
  bool letting_in_ = false;  ///< the next one's turn is on its way through the loop
  std::deque<Connection*> held_;
  std::atomic<int> held_count_{0};  ///< what others may read of it
  std::function<void()> quiet_;
  bool told_left_ = false;
  std::function<void()> finished_;
  boost::intrusive::list<Connection, boost::intrusive::member_hook<Connection, boost::intrusive::list_member_hook<>, &Connection::hook>> connections_;
  int taking_ = 0;  ///< connections that are about to be taken
  std::vector<std::unique_ptr<Exchange>> spare_;
  DeadlineWheel wheel_;
  boost::asio::steady_timer timer_;
  TimePoint armed_ = TimePoint::max();
  AccessLog access_;
  bool flush_posted_ = false;
  TimePoint clock_checked_{};
  std::chrono::system_clock::time_point clock_wall_{};
};

}  // namespace serval::worker
