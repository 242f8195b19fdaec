#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <map>
#include <random>
#include <string>

#include "script.hpp"

/// Jobs that take any time, fail, hang and are asked for at any moment, on a machine whose clock is set and which
/// sleeps: whatever happens, no two runs of one job go on at a time, and each comes to an end.
namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

/// Central Europe in 2026: summer from 29 March 01:00 UTC to 25 October 01:00 UTC.
constexpr std::int64_t kSpring = 1774746000;
constexpr std::int64_t kAutumn = 1792890000;
std::int64_t berlin(std::int64_t at) { return at >= kSpring && at < kAutumn ? 7200 : 3600; }

config::Program job(unsigned seed) {
  config::Program program;
  program.command = {"./job"};
  program.restart = seed % 2 == 0 ? config::ProgramRestart::never : config::ProgramRestart::on_failure;
  program.missed = seed % 3 == 0 ? config::ProgramMissed::run : config::ProgramMissed::skip;
  program.max_lifetime = seed % 5 == 0 ? Duration(20min) : Duration::zero();
  program.grace = 10s;
  return program;
}

class Simulation {
 public:
  explicit Simulation(unsigned seed) : random_(seed), wall_(std::chrono::seconds(kAutumn - 86400)) {
    settings_ = settings(0);
    settings_.has_app = false;
    settings_.offset_at = berlin;
    settings_.programs["by_age"] = job(seed);
    settings_.programs["by_age"].every = 7min;
    settings_.programs["by_clock"] = job(seed + 1);
    settings_.programs["by_clock"].cron = "*/20 1-4 * * *";
    supervisor_ = std::make_unique<Supervisor>(settings_);
  }

  void run(int steps) {
    tell(Start{});
    for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) step();
    tell(StopRequested{"TERM"});
    for (int i = 0; i < 1000 && !finished_; ++i) wait();
    EXPECT_TRUE(finished_) << "a stop must come to an end";
    EXPECT_TRUE(processes_.empty());
    EXPECT_GT(launched_, 0);
  }

 private:
  struct Process {
    std::string name;
    pid_t pid;
    TimePoint ends;
    bool deaf = false;
  };

  int dice(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random_); }

  void pass(Clock::duration time) {
    now_ += time;
    wall_ += std::chrono::duration_cast<WallTime::duration>(time);
  }

  void step() {
    switch (dice(20)) {
      case 0: return set_clock(std::chrono::seconds(dice(40'000) - 20'000));
      case 1: return set_clock(std::chrono::hours(dice(72)));  // it has slept
      case 2: return tell(ProgramOrdered{ProgramOrdered::Order::start, any(), "test"});
      case 3: return tell(ProgramOrdered{ProgramOrdered::Order::stop, any(), "test"});
      case 4: return tell(ProgramOrdered{ProgramOrdered::Order::replace, any(), "test"});
      case 5: return change();
      case 6: return upgrade();
      default: return wait();
    }
  }

  std::string any() { return dice(2) == 0 ? "by_age" : "by_clock"; }

  void set_clock(std::chrono::seconds by) {
    wall_ += by;
    tell(Tick{});
  }

  void change() {
    auto& program = settings_.programs[any()];
    program.command = {"./job", std::to_string(dice(3))};
    if (program.cron.empty()) program.every = std::chrono::minutes(5 + dice(3));
    tell(ReloadRequested{"test", settings_});
  }

  void upgrade() {
    supervisor_ = std::make_unique<Supervisor>(settings_, supervisor_->state(), now_);
    tell(Tick{});
  }

  /// Until the next thing happens: the supervisor wants to look, or a process ends.
  void wait() {
    TimePoint next = supervisor_->next_wakeup();
    auto first = processes_.end();
    for (auto it = processes_.begin(); it != processes_.end(); ++it) {
      if (it->second.ends < next) {
        next = it->second.ends;
        first = it;
      }
    }
    if (next == TimePoint::max()) return set_clock(1h);
    pass(std::max(next - now_, Clock::duration::zero()) + 1us);
    if (first == processes_.end()) return tell(Tick{});
    end(first->first, dice(3) == 0 ? 1 : 0);
  }

  void end(int id, int code) {
    const pid_t pid = processes_.at(id).pid;
    processes_.erase(id);
    const int leftovers = dice(10) == 0 ? 1 : 0;
    tell(ChildExited{pid, {.code = code, .text = "exit code " + std::to_string(code), .leftovers = leftovers}});
    if (leftovers > 0) tell(ProgramCleared{id});
  }

  void tell(const Event& event) {
    std::vector<Event> answers;
    for (const Action& action : supervisor_->on(event, now_, wall_)) perform(action, answers);
    for (const Event& answer : answers) tell(answer);
    if (finished_) return;
    ASSERT_GT(supervisor_->next_wakeup(), now_) << "what was due is settled";
  }

  void perform(const Action& action, std::vector<Event>& answers) {
    if (const auto* launch = std::get_if<LaunchProgram>(&action)) {
      for (const auto& [id, process] : processes_) EXPECT_NE(process.name, launch->name) << "no overlap";
      ++launched_;
      if (dice(20) == 0) return answers.push_back(ProgramNotStarted{launch->id, "no such file"});
      const bool hangs = dice(10) == 0;
      const TimePoint ends = hangs ? now_ + 5h : now_ + std::chrono::seconds(dice(900)) + 1ms;
      processes_[launch->id] = {launch->name, ++last_pid_, ends, dice(3) == 0};
      answers.push_back(ProgramStarted{launch->id, last_pid_});
    } else if (const auto* signal = std::get_if<SignalProgram>(&action)) {
      const auto process = processes_.find(signal->id);
      if (process == processes_.end()) return;
      if (signal->signal == SIGKILL || !process->second.deaf) process->second.ends = now_;
    } else if (std::holds_alternative<Finish>(action)) {
      finished_ = true;
    }
  }

  std::mt19937 random_;
  Settings settings_;
  std::unique_ptr<Supervisor> supervisor_;
  TimePoint now_{1000s};
  WallTime wall_;
  std::map<int, Process> processes_;
  pid_t last_pid_ = 100;
  int launched_ = 0;
  bool finished_ = false;
};

TEST(ScheduleSimulation, NoTwoRunsAtATimeWhateverHappens) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Simulation(seed).run(500);
    if (testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace serval::supervisor
