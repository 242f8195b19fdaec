#include "fleet.hpp"

#include <algorithm>
#include <csignal>

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

constexpr pid_t kMold = 500;
constexpr Duration kLongestBoot = 50ms;
constexpr auto kDoorPatience = 3s;
/// Two looks at a loop that should have beaten (supervisor/heart.cpp), and what is between beat and stop.
constexpr auto kUntilItIsFound = 800ms;
constexpr std::size_t kEnough = 20;  // broken promises that are worth reading

const Exit kKilled{true, SIGKILL, false, "SIGKILL"};
const Exit kGood{false, 0, false, "exit code 0"};

/// What the supervisor is told, if its own bug makes it believe something else.
Settings believed(Settings settings, Fleet::Bug bug) {
  if (bug == Fleet::Bug::replaces_too_many) settings.limits.max_recycling *= 5;
  return settings;
}

}  // namespace

Fleet::Fleet(Settings settings, unsigned seed, Bug bug, std::vector<Fault> faults)
    : settings_(settings), supervisor_(believed(settings, bug)), bug_(bug), random_(seed), faults_(std::move(faults)) {}

void Fleet::run(int faults) {
  tell(Start{});
  tell(MoldStarted{1, kMold});
  tell(MoldLoaded{1});
  advance_until([this] { return serving() == settings_.workers; }, 60s);
  up_ = true;
  for (int i = 0; i < faults && broken_.size() < kEnough; ++i) {
    bool happened = false;
    later(Duration(dice(20)), [&] {
      fault();
      happened = true;
    });
    advance_until([&] { return happened; }, 1s);
  }
  advance_until(
      [this] { return serving() == settings_.workers && static_cast<int>(workers_.size()) == settings_.workers; },
      300s);
  promise(serving() == settings_.workers, "in the end everything is as it was");
  up_ = false;
  tell(StopRequested{"TERM"});
  advance_until([this] { return finished_; }, 300s);
  promise(finished_ && workers_.empty(), "a stop comes to an end, and nobody is left behind");
  std::uint64_t causes = 0;
  for (const auto& [cause, count] : supervisor_.snapshot().ended) {
    promise(cause != Cause::none, "every end has a cause");
    causes += count;
  }
  promise(causes == ended_, "every worker ends with exactly one cause: " + std::to_string(ended_) + " ends, " +
                                std::to_string(causes) + " causes");
}

// --- time

void Fleet::later(Duration delay, std::function<void()> what) {
  happenings_.push({now_ + delay, ++order_, std::move(what)});
}

/// Lets things happen, and the supervisor's timer ring, in the order of their times.
void Fleet::advance_until(const std::function<bool()>& done, Duration patience) {
  const TimePoint end = now_ + patience;
  while (!done() && now_ < end && !finished_ && broken_.size() < kEnough) {
    const TimePoint alarm = timer_lost_ ? TimePoint::max() : supervisor_.next_wakeup();
    const TimePoint next = happenings_.empty() ? TimePoint::max() : happenings_.top().at;
    now_ = std::max(now_, std::min({alarm, next, end}));
    if (now_ >= end) return;
    if (alarm <= next) {
      tell(Tick{});
      promise(supervisor_.next_wakeup() > now_ || finished_, "a tick settles what was due");
      timer_lost_ = bug_ == Bug::loses_its_timer && ++ticks_ > 50;
    } else {
      const auto what = happenings_.top().what;
      happenings_.pop();
      what();
    }
  }
}

// --- between supervisor and processes

void Fleet::tell(const Event& event) {
  std::vector<Event> answers;
  for (const Action& action : supervisor_.on(event, now_)) perform(action, answers);
  for (const Event& answer : answers) tell(answer);
  if (up_) check();
}

void Fleet::perform(const Action& action, std::vector<Event>& answers) {
  promise(!finished_, "nothing comes after the end");
  if (const auto* order = std::get_if<ForkWorker>(&action)) {
    if (bug_ == Bug::forgets_a_fork && up_ && ++forks_ % 10 == 0) return;
    fork(order->slot);
  } else if (const auto* kill = std::get_if<Kill>(&action)) {
    if (kill->pid == kMold) return;
    const bool known = workers_.contains(kill->pid);
    promise(known, "only who lives is killed");
    if (!known) return;
    const bool survives = kill->signal == SIGABRT && (workers_.at(kill->pid).stopped || dice(20) == 0);
    if (!survives) end_later(kill->pid, Duration(dice(5)), {true, kill->signal, false, "signal"});
  } else if (const auto* leave = std::get_if<DrainWorker>(&action)) {
    promise(seats_.contains(leave->slot), "only who lives drains");
    if (seats_.contains(leave->slot)) drain(workers_.at(seats_.at(leave->slot)), seats_.at(leave->slot));
  } else if (std::holds_alternative<LookAtWorkers>(action)) {
    answers.emplace_back(look());
  } else if (std::holds_alternative<StopMold>(action)) {
    later(1ms, [this] { tell(ChildExited{kMold, kGood}); });
  } else if (std::holds_alternative<Finish>(action)) {
    finished_ = true;
  }
}

void Fleet::fork(int slot) {
  promise(!seats_.contains(slot), "one worker in a slot");
  if (seats_.contains(slot)) return;
  const pid_t pid = ++last_pid_;
  workers_[pid] = {.slot = slot, .beat = now_};
  seats_[slot] = pid;
  later(1ms, [this, slot, pid] {
    if (workers_.contains(pid)) tell(WorkerForked{slot, pid});
    if (bug_ == Bug::takes_forked_for_ready && workers_.contains(pid)) tell(WorkerReady{slot});
  });
  later(2ms + Duration(dice(static_cast<int>(kLongestBoot.count()) - 2)), [this, pid] { become_ready(pid); });
}

void Fleet::become_ready(pid_t pid) {
  const auto found = workers_.find(pid);
  if (found == workers_.end() || found->second.doomed) return;
  if (up_ && dice(100) == 0) return end(pid, {false, 1, false, "exit code 1"});  // some do not boot
  found->second.ready = true;
  found->second.beat = now_;
  tell(WorkerReady{found->second.slot});
}

void Fleet::drain(Worker& worker, pid_t pid) {
  if (worker.draining) return;  // told once more that nobody takes over
  worker.draining = true;
  worker.told_to_go = now_;
  worker.reticent = dice(20) == 0;
  later(Duration(dice(50)), [this, pid] {
    if (!workers_.contains(pid) || workers_.at(pid).stopped) return;
    Worker& leaver = workers_.at(pid);
    leaver.left = true;
    if (!leaver.reticent && bug_ != Bug::overhears_who_left) tell(WorkerLeft{leaver.slot});
  });
  if (worker.stuck) {
    later(Duration(dice(100)), [this, pid] {
      if (workers_.contains(pid)) tell(OnlyStuckLeft{workers_.at(pid).slot});
    });
  } else if (!worker.stopped) {
    end_later(pid, Duration(dice(200)), dice(50) == 0 ? Exit{true, SIGSEGV, true, "SIGSEGV"} : kGood);
  }
}

void Fleet::end_later(pid_t pid, Duration delay, const Exit& exit) {
  workers_.at(pid).doomed = true;
  later(delay, [this, pid, exit] { end(pid, exit); });
}

void Fleet::end(pid_t pid, const Exit& exit) {
  const auto found = workers_.find(pid);
  if (found == workers_.end()) return;
  const Worker worker = found->second;
  workers_.erase(found);
  seats_.erase(worker.slot);
  ++ended_;
  // Whoever goes as the supervisor wants it has a successor by then; for the others one must come, after the delay of
  // one who crashes often.
  if (!worker.draining) missing_.insert(now_ + settings_.restart.backoff_max + 3 * kLongestBoot);
  tell(ChildExited{pid, exit});
}

LookedAtWorkers Fleet::look() {
  LookedAtWorkers looked;
  for (auto& [pid, worker] : workers_) {
    if (!worker.stopped) worker.beat = now_;
    looked.samples.push_back(
        {worker.slot, pid, {worker.beat, worker.stopped ? 'T' : 'S', 0s}, worker.leaking ? 200u : 50u});
  }
  return looked;
}

// --- faults

Fleet::Worker* Fleet::anybody(pid_t& pid) {
  for (int tries = 0; tries < 50; ++tries) {
    auto chosen = workers_.lower_bound(last_pid_ - dice(2 * settings_.workers));
    if (chosen == workers_.end()) chosen = workers_.begin();
    if (chosen == workers_.end() || !chosen->second.ready || chosen->second.doomed) continue;
    pid = chosen->first;
    return &chosen->second;
  }
  return nullptr;
}

void Fleet::fault() {
  pid_t pid = 0;
  Worker* worker = anybody(pid);
  if (worker == nullptr) return;
  const int slot = worker->slot;
  const Fault kind = faults_[static_cast<std::size_t>(dice(static_cast<int>(faults_.size())))];
  ++suffered_[kind];
  switch (kind) {
    case Fault::killed:
      return end(pid, kKilled);
    case Fault::crashed:
      return end(pid, {true, SIGSEGV, true, "SIGSEGV"});
    case Fault::stopped:
      // It is lost until the supervisor finds out.
      if (!worker->stopped && !worker->draining) missing_.insert(now_ + settings_.limits.heartbeat_timeout + 1s);
      if (!worker->stopped) worker->stopped_at = now_;
      worker->stopped = true;
      return;
    case Fault::stopped_briefly:
      if (worker->stopped) return;
      missing_.insert(now_ + settings_.limits.heartbeat_timeout / 2);
      worker->stopped = true;
      worker->stopped_at = now_;
      return later(settings_.limits.heartbeat_timeout / 2, [this, pid] {
        if (!workers_.contains(pid)) return;
        workers_.at(pid).stopped = false;
        workers_.at(pid).beat = now_;
        if (workers_.at(pid).draining && !workers_.at(pid).doomed) end_later(pid, 1ms, kGood);
      });
    case Fault::stuck:
      worker->stuck = true;
      if (bug_ != Bug::forgets_who_is_stuck) tell(RequestTimedOut{slot});
      return;
    case Fault::leaking:
      worker->leaking = worker->patient = true;
      return;
    case Fault::spent:
      worker->patient = true;
      return tell(WorkerSpent{slot});
  }
}

// --- promises

int Fleet::serving() const {
  return static_cast<int>(std::count_if(workers_.begin(), workers_.end(), [](const auto& entry) {
    return entry.second.ready && !entry.second.draining && !entry.second.stopped;
  }));
}

void Fleet::check() {
  missing_.erase(missing_.begin(), missing_.lower_bound(now_));
  const int lost = static_cast<int>(missing_.size());
  const int serve = serving();
  promise(serve + lost >= settings_.workers, "never below capacity for longer than a boot: " + std::to_string(serve) +
                                                 " serve and " + std::to_string(lost) + " were lost just now, of " +
                                                 std::to_string(settings_.workers));
  const int leaving = static_cast<int>(std::count_if(workers_.begin(), workers_.end(), [](const auto& entry) {
    return entry.second.draining && entry.second.patient && !entry.second.stuck && !entry.second.stopped;
  }));
  promise(leaving <= settings_.limits.max_recycling,
          "never more than max_recycling at a time: " + std::to_string(leaving));
  const auto alive = std::count_if(workers_.begin(), workers_.end(),
                                   [](const auto& entry) { return !entry.second.stopped && !entry.second.doomed; });
  promise(alive <= 2 * settings_.workers + settings_.limits.max_recycling,
          "never above surge: " + std::to_string(alive));
  if (++checks_ % 16 == 0) check_doors();
  const TimePoint found = now_ - settings_.limits.heartbeat_timeout - kUntilItIsFound;
  const bool none_hangs_on = std::none_of(workers_.begin(), workers_.end(), [found](const auto& entry) {
    return entry.second.ready && entry.second.stopped && !entry.second.stuck && entry.second.stopped_at < found;
  });
  promise(none_hangs_on, "none that hangs lives on, whether it serves or drains");
  for (const auto& [pid, worker] : workers_) {
    if (worker.stuck && worker.ready && !worker.draining && !worker.stopped && !worker.doomed) {
      promise(supervisor_.snapshot().workers.at(static_cast<std::size_t>(worker.slot)).cause != Cause::none,
              "who is stuck is going to be replaced");
      break;
    }
  }
}

void Fleet::check_doors() {
  const Snapshot snapshot = supervisor_.snapshot();
  for (const auto& [pid, worker] : workers_) {
    const Snapshot::Worker& known = snapshot.workers.at(static_cast<std::size_t>(worker.slot));
    if (worker.left && !worker.reticent) promise(!known.at_door, "who has said that he has left is believed");
    if (worker.draining && !worker.left && now_ < worker.told_to_go + kDoorPatience) {
      promise(known.at_door || known.state == SlotState::killing, "who has not left is waited for");
    }
    if (known.at_door)
      promise(worker.draining && now_ <= worker.told_to_go + kDoorPatience,
              "nobody is waited for at the door for ever");
  }
}

void Fleet::promise(bool kept, const std::string& what) {
  if (kept || broken_.size() >= kEnough) return;
  broken_.push_back(std::to_string(std::chrono::duration_cast<Duration>(now_.time_since_epoch() - 1h).count()) +
                    " ms: " + what);
}

}  // namespace serval::supervisor
