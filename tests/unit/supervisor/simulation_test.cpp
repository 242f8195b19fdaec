#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "script.hpp"

/// A world of molds and workers that fail in every way, driven by a seed; the supervisor has to keep its promises in
/// all of them.
namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

class Simulation {
 public:
  Simulation(Settings settings, unsigned seed) : supervisor_(settings), settings_(settings), random_(seed) {}

  void run(int steps) {
    tell(Start{});
    for (int i = 0; i < steps && !finished_; ++i) step();
    tell(StopRequested{"TERM"});
    for (int i = 0; i < 100'000 && !finished_; ++i) step();
    EXPECT_TRUE(finished_) << "a stop must come to an end";
    EXPECT_TRUE(processes_.empty()) << "nobody may be left behind";
    EXPECT_EQ(unforked_.size(), 0u);
    check_causes();
  }

  void check_causes() const {
    std::uint64_t ended = 0;
    for (const auto& [cause, count] : supervisor_.snapshot().ended) {
      EXPECT_NE(cause, Cause::none);
      ended += count;
    }
    EXPECT_EQ(ended, workers_ended_ + forks_failed_) << "every worker ends with exactly one cause";
  }

 private:
  struct Process {
    int slot;  ///< -1: the mold
    bool ready = false;
    bool told_to_go = false;
    bool killed = false;
    bool doomed = false;  ///< hangs until it is killed
  };

  int dice(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random_); }

  void step() {
    if (!something_happens() || dice(3) == 0) {
      const bool first_boot_goes_well = !ever_ready_;  // whoever fails there ends the server; scripts test that
      const TimePoint due = supervisor_.next_wakeup();
      if (due != TimePoint::max() && !first_boot_goes_well) now_ = std::max(now_, due);
      tell(Tick{});
      ASSERT_GT(supervisor_.next_wakeup(), now_) << "a tick must settle what was due";
    }
    now_ += std::chrono::milliseconds(dice(50));
  }

  /// One random thing that the world can do now; false if there is none.
  bool something_happens() {
    if (!unforked_.empty() && mold_ != 0 && !processes_.at(mold_).killed && dice(2) == 0) return mold_answers();
    if (processes_.empty()) return false;
    auto chosen = processes_.begin();
    std::advance(chosen, dice(static_cast<int>(processes_.size())));
    const pid_t pid = chosen->first;
    Process& process = chosen->second;
    if (process.killed) return exit(pid, {true, SIGKILL, false, "SIGKILL"});
    if (process.doomed) return false;
    return process.slot < 0 ? mold_acts(pid, process) : worker_acts(pid, process);
  }

  bool mold_acts(pid_t pid, Process& mold) {
    if (mold.told_to_go && unforked_.empty()) return exit(pid, {false, 0, false, "exit code 0"});
    if (!mold.ready) {
      if (ever_ready_ && dice(10) == 0) return exit(pid, {true, SIGSEGV, false, "SIGSEGV"});
      if (ever_ready_ && dice(20) == 0) return mold.doomed = true;
      mold.ready = true;
      tell(MoldLoaded{1});
      return true;
    }
    if (ever_ready_ && dice(40) == 0) return exit(pid, {true, SIGSEGV, false, "SIGSEGV"});
    return false;
  }

  bool mold_answers() {
    const int slot = *unforked_.begin();
    unforked_.erase(unforked_.begin());
    if (ever_ready_ && dice(10) == 0) {
      ++forks_failed_;
      if (slot_draining(slot)) --forks_failed_;  // it was going anyway: no worker, no cause
      tell(ForkFailed{slot, "no memory"});
      return true;
    }
    const pid_t pid = ++last_pid_;
    processes_[pid] = {slot};
    tell(WorkerForked{slot, pid});
    return true;
  }

  bool worker_acts(pid_t pid, Process& worker) {
    const int what = dice(12);
    if (worker.told_to_go) {
      if (what == 0) return worker.doomed = true;
      if (what < 4) {
        tell(WorkerLeft{worker.slot});
        return true;
      }
      return exit(pid, {false, 0, false, "exit code 0"});
    }
    if (!worker.ready) {
      if (ever_ready_ && what == 0) return exit(pid, {false, 1, false, "exit code 1"});
      if (ever_ready_ && what == 1) return worker.doomed = true;
      worker.ready = ever_ready_ = true;
      tell(WorkerReady{worker.slot});
      return true;
    }
    if (what == 0) return exit(pid, {true, SIGSEGV, true, "SIGSEGV"});
    if (what == 1) {
      worker.told_to_go = true;
      tell(WorkerLeaving{worker.slot});
      return true;
    }
    return false;
  }

  bool exit(pid_t pid, const Exit& exit) {
    if (pid == mold_) {
      mold_ = 0;
      unforked_.clear();
    } else {
      ++workers_ended_;
    }
    processes_.erase(pid);
    tell(ChildExited{pid, exit});
    return true;
  }

  bool slot_draining(int slot) const {
    const SlotState state = supervisor_.snapshot().workers.at(static_cast<std::size_t>(slot)).state;
    return state == SlotState::draining || state == SlotState::killing;
  }

  void tell(const Event& event) {
    std::vector<Event> answers;
    for (const Action& action : supervisor_.on(event, now_)) perform(action, answers);
    for (const Event& answer : answers) tell(answer);
    if (!finished_) check();
  }

  void perform(const Action& action, std::vector<Event>& answers) {
    ASSERT_FALSE(finished_) << "nothing comes after the end: " << text_of(action);
    if (std::holds_alternative<StartMold>(action)) {
      ASSERT_EQ(mold_, 0) << "one mold at a time";
      mold_ = ++last_pid_;
      processes_[mold_] = {-1};
      answers.push_back(MoldStarted{1, mold_});
    } else if (const auto* fork = std::get_if<ForkWorker>(&action)) {
      ASSERT_NE(mold_, 0);
      ASSERT_EQ(unforked_.count(fork->slot), 0u);
      for (const auto& [pid, process] : processes_) ASSERT_NE(process.slot, fork->slot) << "one worker in a slot";
      unforked_.insert(fork->slot);
    } else if (const auto* kill = std::get_if<Kill>(&action)) {
      ASSERT_EQ(processes_.count(kill->pid), 1u) << "kills only who lives";
      processes_[kill->pid].killed = true;
    } else if (const auto* drain = std::get_if<DrainWorker>(&action)) {
      for (auto& [pid, process] : processes_) process.told_to_go |= process.slot == drain->slot;
    } else if (std::holds_alternative<StopMold>(action)) {
      ASSERT_TRUE(unforked_.empty()) << "the mold must answer its forks first";
      processes_.at(mold_).told_to_go = true;
    } else if (const auto* finish = std::get_if<Finish>(&action)) {
      EXPECT_EQ(finish->exit_code, 0);
      finished_ = true;
    }
  }

  void check() const {
    const Snapshot snapshot = supervisor_.snapshot();
    int wanted = 0;
    int dying = 0;
    std::set<pid_t> known;
    for (const Snapshot::Worker& worker : snapshot.workers) {
      wanted += worker.state == SlotState::starting || worker.state == SlotState::serving;
      dying += worker.state == SlotState::killing;
      if (worker.pid != 0) {
        EXPECT_TRUE(known.insert(worker.pid).second);
      }
    }
    EXPECT_LE(wanted, settings_.workers);
    for (const auto& [pid, process] : processes_) {
      if (process.slot >= 0) {
        EXPECT_TRUE(known.contains(pid)) << "every forked worker is accounted for";
      }
    }
    if (!snapshot.stopping && snapshot.mold == MoldState::ready && wanted + dying < settings_.workers) {
      EXPECT_LT(supervisor_.next_wakeup(), TimePoint::max()) << "who waits to be started must be woken for";
    }
  }

  Supervisor supervisor_;
  Settings settings_;
  std::mt19937 random_;
  TimePoint now_{1h};
  pid_t mold_ = 0;
  pid_t last_pid_ = 1000;
  std::map<pid_t, Process> processes_;
  std::set<int> unforked_;
  std::uint64_t workers_ended_ = 0;
  std::uint64_t forks_failed_ = 0;
  bool ever_ready_ = false;
  bool finished_ = false;
};

TEST(Simulation, KeepsItsPromisesInManyWorlds) {
  for (unsigned seed = 1; seed <= 150 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Settings settings;
    settings.workers = 1 + static_cast<int>(seed % 7);
    settings.seed = seed;
    settings.limits.boot_timeout = 5s;
    settings.grace = 3s;
    settings.forks_per_second = 1 + static_cast<int>(seed % 20);
    Simulation(settings, seed).run(600);
  }
}

TEST(Simulation, TenThousandWorkersBootAndStop) {
  Settings settings;
  settings.workers = 10'000;
  Supervisor supervisor(settings);
  const TimePoint now{1h};
  supervisor.on(Start{}, now);
  supervisor.on(MoldStarted{1, 1}, now);
  int forks = 0;
  for (const Action& action : supervisor.on(MoldLoaded{1}, now)) forks += std::holds_alternative<ForkWorker>(action);
  EXPECT_EQ(forks, 10'000);
}

}  // namespace
}  // namespace serval::supervisor
