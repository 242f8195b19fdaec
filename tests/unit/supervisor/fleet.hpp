#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "supervisor/supervisor.hpp"

/// A big server under constant fire, in virtual time: workers that boot, serve, are killed, stopped, stuck, leak and
/// wear out, each at its moment. What the supervisor promises is checked against what really happens, after every
/// event.
namespace serval::supervisor {

class Fleet {
 public:
  /// How the supervisor's orders or news are falsified on their way, as a bug in its policy would: the promises must be
  /// seen to break.
  enum class Bug {
    none,
    takes_forked_for_ready,
    replaces_too_many,
    forgets_a_fork,
    loses_its_timer,
    forgets_who_is_stuck,
    overhears_who_left
  };

  enum class Fault { killed, crashed, stopped, stopped_briefly, stuck, leaking, spent };
  static constexpr std::array kAllFaults{Fault::killed, Fault::crashed, Fault::stopped, Fault::stopped_briefly,
                                         Fault::stuck,  Fault::leaking, Fault::spent};

  Fleet(Settings settings, unsigned seed, Bug bug = Bug::none,
        std::vector<Fault> faults = {kAllFaults.begin(), kAllFaults.end()});

  /// Boots, lives through so many faults, recovers, stops.
  void run(int faults);

  /// What went wrong, in words; empty if every promise was kept.
  const std::vector<std::string>& broken_promises() const { return broken_; }
  int suffered(Fault fault) const { return suffered_.at(fault); }
  Snapshot snapshot() const { return supervisor_.snapshot(); }

 private:
  struct Worker {
    int slot;
    bool ready = false;
    bool draining = false;
    bool left = false;      ///< answers nobody new
    bool reticent = false;  ///< and does not say so
    TimePoint told_to_go{};
    bool patient = false;   ///< it goes for a reason that can wait for its turn
    bool stuck = false;     ///< has a handler that never returns
    bool stopped = false;
    TimePoint stopped_at{};
    bool leaking = false;
    bool doomed = false;    ///< its end is on the way
    TimePoint beat{};
  };
  struct Happening {
    TimePoint at;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const Happening& other) const { return at != other.at ? at > other.at : order > other.order; }
  };

  int dice(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random_); }
  void later(Duration delay, std::function<void()> what);
  void advance_until(const std::function<bool()>& done, Duration patience);
  void tell(const Event& event);
  void perform(const Action& action, std::vector<Event>& answers);
  void fork(int slot);
  void become_ready(pid_t pid);
  void end(pid_t pid, const Exit& exit);
  void end_later(pid_t pid, Duration delay, const Exit& exit);
  void drain(Worker& worker, pid_t pid);
  LookedAtWorkers look();
  void fault();
  Worker* anybody(pid_t& pid);
  void check();
  void check_doors();
  int serving() const;
  void promise(bool kept, const std::string& what);

  Settings settings_;
  Supervisor supervisor_;
  Bug bug_;
  std::mt19937 random_;
  TimePoint now_{std::chrono::hours(1)};
  std::priority_queue<Happening> happenings_;
  std::uint64_t order_ = 0;
  std::map<pid_t, Worker> workers_;
  std::map<int, pid_t> seats_;          ///< slot → who has it
  pid_t last_pid_ = 1000;
  std::multiset<TimePoint> missing_;  ///< for each worker that was lost through no fault of the supervisor: when it
                                      ///< must have been made up for
  int forks_ = 0;
  std::uint64_t ended_ = 0;
  bool up_ = false;
  bool finished_ = false;
  bool timer_lost_ = false;
  int ticks_ = 0;
  int checks_ = 0;
  std::vector<Fault> faults_;
  std::map<Fault, int> suffered_;
  std::vector<std::string> broken_;
};

}  // namespace serval::supervisor
