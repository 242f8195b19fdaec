#include <gmock/gmock.h>

#include <csignal>

#include "script.hpp"

// Workers that have to go: who, when, and who comes first.
namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

Event spent(int slot) { return WorkerSpent{slot}; }
Event timed_out(int slot) { return RequestTimedOut{slot}; }

// --- successors first

TEST(Replacing, TheSuccessorServesBeforeTheOldOneLeaves) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(10s, spent(0))
      .expect({"fork worker 2"})
      .expect_line({"info: replacing worker", "slot=0", "worker_pid=100", "cause=max_requests", "age_ms=10000"});
  EXPECT_EQ(s.states(), "serving serving starting");
  s.at(10s, forked(2)).expect();
  s.at(11s, ready(2)).expect({"drain worker 0"});
  EXPECT_EQ(s.states(), "draining serving serving");
  s.at(12s, exited(pid_of(0), 0))
      .expect()
      .expect_line({"info: worker stopped", "cause=max_requests", "next=its successor is there"});
  EXPECT_EQ(s.states(), "empty serving serving");
  EXPECT_EQ(s.snapshot().ended.at(Cause::max_requests), 1u);
}

TEST(Replacing, AWorkerThatCannotGoOnSaysWhyAndDoesNotWaitForItsTurn) {
  Settings one_at_a_time = settings(2);
  one_at_a_time.limits.max_recycling = 1;
  Script s(one_at_a_time);
  s.booted_at(0s);
  s.at(10s, spent(0)).expect({"fork worker 2"});
  const auto unfit = s.at(10s, WorkerSpent{1, "no descriptor is left"});
  unfit.expect({"fork worker 3"});
  EXPECT_THAT(unfit.lines,
              testing::ElementsAre(
                  "warning: worker asks for a successor slot=1 worker_pid=101 why=no descriptor is left",
                  testing::AllOf(testing::HasSubstr("replacing worker slot=1"), testing::HasSubstr("cause=unfit"))));
  s.at(10s, WorkerSpent{1, "no descriptor is left"}).expect().expect_no_line();
  s.at(10s, forked(3));
  s.at(11s, ready(3)).expect({"drain worker 0"});  // who has been due for longer
  s.at(11s, forked(2));
  s.at(11s, ready(2)).expect({"drain worker 1"});
  s.at(11s, WorkerSpent{1, "and again"}).expect().expect_no_line();
}

TEST(Replacing, ASuccessorThatDoesNotBootLeavesTheOldOneServing) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(10s, spent(0)).expect({"fork worker 1"});
  s.at(10s, forked(1));
  s.at(10s, exited(pid_of(1), 1))
      .expect_line({"error: worker died", "slot=0", "cause=boot_failed", "next=restarting in"});
  EXPECT_EQ(s.states(), "serving cooling");
  const auto again = s.next_wakeup();
  s.at(again, tick()).expect({"fork worker 1"});
  s.at(again, forked(1, 201));
  s.at(again, ready(1)).expect({"drain worker 0"});
}

TEST(Replacing, WhoDiesBeforeHisSuccessorIsReadyIsNotStartedAgain) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(10s, spent(0)).expect({"fork worker 2"});
  s.at(10s, forked(2));
  s.at(10s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect();
  EXPECT_EQ(s.states(), "empty serving starting");
  s.at(11s, ready(2)).expect();
  EXPECT_EQ(s.states(), "empty serving serving");
}

// --- turns

TEST(Replacing, NeverMoreThanMaxRecyclingAtATime) {
  Settings three = settings(3);
  three.limits.max_recycling = 1;
  Script s(three);
  s.booted_at(0s);
  s.at(10s, spent(2)).expect({"fork worker 3"});
  s.at(10s, spent(0)).expect();
  s.at(10s, spent(1)).expect();
  s.at(10s, forked(3));
  s.at(10s, ready(3)).expect({"drain worker 2"});
  s.at(11s, exited(pid_of(2), 0)).expect({"fork worker 2"});
}

TEST(Replacing, SpentWorkersDoNotForkWithoutEnd) {
  Script s(settings(1));
  s.booted_at(0s);
  Clock::duration now = 1s;
  int forks = 0;
  int serving = 0;
  pid_t pid = pid_of(0);
  for (pid_t next = 200; now < 11s; ++next) {  // one request each
    auto step = s.at(now, spent(serving));
    if (step.actions.empty()) {
      now = s.next_wakeup();
      step = s.at(now, tick());
    }
    ASSERT_EQ(step.actions.size(), 1u);
    ++forks;
    const int slot = 1 - serving;
    s.at(now, forked(slot, next));
    s.at(now, ready(slot));
    s.at(now, exited(pid, 0));
    serving = slot;
    pid = next;
  }
  EXPECT_LE(forks, 10 * 10 + 2) << "half of the forks that are allowed at all";
}

TEST(Replacing, WhoIsStuckDoesNotWaitForATurn) {
  Script s(settings(3));
  s.booted_at(0s);
  s.at(10s, spent(0)).expect({"fork worker 3"});
  s.at(10s, timed_out(1)).expect({"fork worker 4"}).expect_line({"cause=request_timeout"});
  s.at(10s, timed_out(2)).expect({"fork worker 5"});
}

TEST(Replacing, WaitingForATurnAndThenStuckDoesNotWaitAnyLonger) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(10s, spent(0)).expect({"fork worker 2"});
  s.at(10s, spent(1)).expect();
  s.at(11s, timed_out(1)).expect({"fork worker 3"}).expect_line({"slot=1", "cause=request_timeout"});
}

TEST(Replacing, MoreStuckOnesThanTwiceTheWorkersWait) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(10s, timed_out(0)).expect({"fork worker 1"});
  s.at(10s, forked(1));
  s.at(10s, ready(1)).expect({"drain worker 0"});
  s.at(11s, timed_out(1)).expect({"fork worker 2"});
  s.at(11s, forked(2));
  s.at(11s, ready(2)).expect({"drain worker 1"});
  s.at(12s, timed_out(2)).expect();  // three processes for one worker
  s.at(13s, exited(pid_of(0), 0)).expect({"fork worker 0"});
}

// --- the ladder

TEST(Replacing, HandlersThatDoNotReturnAreAbortedThenKilled) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(10s, timed_out(0)).expect({"fork worker 1"});
  s.at(10s, forked(1));
  s.at(10s, ready(1)).expect({"drain worker 0"});
  s.at(10s, left(0)).expect();
  s.at(11s, OnlyStuckLeft{0}).expect();
  EXPECT_EQ(s.next_wakeup(), 12s) << "a last chance for handlers that look whether they are cancelled";
  s.at(12s, tick())
      .expect({"kill 100 by 6"})
      .expect_line({"warning: worker has handlers that do not return, aborting it", "cause=request_timeout"});
  EXPECT_EQ(s.next_wakeup(), 22s) << "a core takes its time";
  s.at(22s, tick()).expect({"kill 100 by 9"}).expect_line({"warning: worker outlives SIGABRT"});
  s.at(22s, killed(pid_of(0), SIGKILL, "SIGKILL")).expect().expect_line({"worker stopped", "cause=request_timeout"});
}

TEST(Replacing, SiblingsOfAStuckHandlerHaveTheGrace) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(10s, timed_out(0));
  s.at(10s, forked(1));
  s.at(10s, ready(1)).expect({"drain worker 0"});
  s.at(10s, left(0)).expect();
  EXPECT_EQ(s.next_wakeup(), 40s);
  s.at(40s, tick()).expect({"kill 100 by 6"});
}

TEST(Replacing, WhoIsStuckLeavesEvenIfNoSuccessorBoots) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(10s, timed_out(0)).expect({"fork worker 1"});
  s.at(10s, forked(1));
  s.at(70s, tick());  // workers.boot_timeout for both
  EXPECT_EQ(s.states(), "draining killing");
}

/// What ends a worker that was going anyway is its cause, in the log and in the figures.
TEST(Replacing, WhatEndsAWorkerThatDrainsIsItsCause) {
  const Exit lost{.code = 0, .text = "exit code 0", .requests = {{"GET", "/slow", "id", 31s}}};
  struct Row {
    const char* how;
    Exit exit;
    Cause cause;
    const char* line;
  };
  const Row table[] = {
      {"it is done", {.text = "exit code 0"}, Cause::max_requests, "info: worker stopped"},
      {"it crashes",
       {.signaled = true, .code = SIGSEGV, .text = "SIGSEGV"},
       Cause::crash,
       "warning: worker died while it drained"},
      {"it fails", {.code = 3, .text = "exit code 3"}, Cause::crash, "warning: worker died while it drained"},
      {"out of memory",
       {.signaled = true, .code = SIGKILL, .text = "SIGKILL", .oom = true},
       Cause::oom,
       "warning: worker died while it drained"},
      {"its own cgroup",
       {.signaled = true, .code = SIGKILL, .text = "SIGKILL", .above_hard = true},
       Cause::memory_hard,
       "warning: worker died"},
      {"it cuts what is left", lost, Cause::grace_over, "warning: worker stopped"},
  };
  for (const Row& row : table) {
    Script s(settings(1));
    s.booted_at(0s);
    s.at(10s, spent(0));
    s.at(10s, forked(1));
    s.at(10s, ready(1)).expect({"drain worker 0"});
    const auto step = s.at(11s, ChildExited{pid_of(0), row.exit});
    step.expect();
    ASSERT_FALSE(step.lines.empty()) << row.how;
    EXPECT_THAT(step.lines.back(), HasSubstr(row.line)) << row.how;
    EXPECT_THAT(step.lines.back(), HasSubstr("cause=" + std::string(name_of(row.cause)))) << row.how;
    const bool other = row.cause != Cause::max_requests;
    EXPECT_EQ(step.lines.back().find("first_cause=max_requests") != std::string::npos, other) << row.how;
    EXPECT_EQ(s.snapshot().ended, (std::map<Cause, std::uint64_t>{{row.cause, 1}})) << row.how;
  }
}

TEST(Replacing, AKillForAHarderReasonIsCountedUnderIt) {
  Settings limited = settings(1);
  limited.memory = {.soft = 100, .hard = 200};
  limited.memory.samples = 1;
  Script s(limited);
  s.booted_at(0s);
  const auto sample = [](std::uint64_t bytes) {
    return LookedAtWorkers{{{.slot = 0, .pid = pid_of(0), .pulse = {}, .memory = bytes}}};
  };
  s.at(1s, sample(150));
  s.at(1s, forked(1));
  s.at(1s, ready(1)).expect({"drain worker 0"});
  s.at(2s, sample(250));
  EXPECT_THAT(s.at(3s, sample(250)).actions, Contains("kill 100 by 9"));
  const auto died = s.at(3s, killed(pid_of(0), SIGKILL, "SIGKILL"));
  died.expect_line({"cause=memory_hard", "first_cause=memory_soft"});
  EXPECT_EQ(s.snapshot().ended, (std::map<Cause, std::uint64_t>{{Cause::memory_hard, 1}}));
}

// --- the slots' numbers

/// "serving 0 of 1, starting 1 of 2": whoever is there, by seat.
std::string numbers(const Script& s) {
  std::string result;
  for (const Snapshot::Worker& worker : s.snapshot().workers) {
    if (worker.state == SlotState::empty) continue;
    result += (result.empty() ? "" : ", ") + std::string(name_of(worker.state)) + " " + std::to_string(worker.slot);
    if (worker.generation > 1) result += " of " + std::to_string(worker.generation);
  }
  return result;
}

/// Whoever runs its scheduler in slot 0 runs it in the successor, too.
TEST(Replacing, ASuccessorHasTheNumberOfTheWorkerThatItReplaces) {
  Script s(settings(3));
  s.booted_at(0s);
  for (int round = 0; round < 5; ++round) {
    const auto at = std::chrono::seconds(10 + round);
    s.at(at, RecycleRequested{1});
    int seat = -1;
    for (const Snapshot::Worker& worker : s.snapshot().workers) {
      if (worker.state == SlotState::starting) seat = worker.seat;
    }
    ASSERT_GE(seat, 0);
    s.at(at, forked(seat, 1000 + round));
    s.at(at, ready(seat));
    pid_t old = 0;
    for (const Snapshot::Worker& worker : s.snapshot().workers) {
      if (worker.state == SlotState::empty) continue;
      EXPECT_LT(worker.slot, 3);
      if (worker.state == SlotState::draining) old = worker.pid;
    }
    s.at(at, exited(old, 0));
  }
}

TEST(Replacing, ANewGenerationIsNumberedFromZeroBesideTheOldOne) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(10s, ReloadRequested{"HUP", {}});
  s.at(10s, MoldStarted{2, 51});
  s.at(10s, MoldLoaded{2});
  EXPECT_EQ(numbers(s), "serving 0, serving 1, starting 0 of 2");
  s.at(10s, forked(2));
  s.at(10s, ready(2));
  EXPECT_EQ(numbers(s), "draining 0, serving 1, serving 0 of 2, starting 1 of 2");
  s.at(10s, exited(pid_of(0), 0));
  s.at(10s, forked(3));
  s.at(10s, ready(3));
  s.at(10s, exited(pid_of(1), 0));
  EXPECT_EQ(numbers(s), "serving 0 of 2, serving 1 of 2");
}

TEST(Replacing, ACrashedWorkerIsStartedAgainUnderItsNumber) {
  Script s(settings(3));
  s.booted_at(0s);
  s.at(10s, killed(pid_of(1), SIGSEGV, "SIGSEGV")).expect({"fork worker 1"});
  EXPECT_EQ(numbers(s), "serving 0, starting 1, serving 2");
}

/// Whoever starts becomes ready, and whoever drains ends, until nothing moves any more.
void settle(Script& s, Clock::duration at) {
  pid_t next_pid = 5000;
  for (bool moved = true; moved;) {
    moved = false;
    for (const Snapshot::Worker& worker : s.snapshot().workers) {
      if (worker.state != SlotState::empty && worker.pid == 0) {
        s.at(at, forked(worker.seat, ++next_pid));
      } else if (worker.state == SlotState::starting) {
        s.at(at, ready(worker.seat));
      } else if (worker.state == SlotState::draining) {
        s.at(at, exited(worker.pid, 0));
      } else {
        continue;
      }
      moved = true;
      break;
    }
  }
}

/// The one that has to go anyway may not be the one with the highest number.
TEST(Replacing, WithFewerWorkersNumbersHaveNoGap) {
  Script s(settings(3));
  s.booted_at(0s);
  s.at(10s, RecycleRequested{0});
  s.at(10s, ScaleRequested{-1, "TTOU"});
  settle(s, 10s);
  EXPECT_EQ(s.snapshot().wanted, 2);
  std::vector<int> slots;
  for (const Snapshot::Worker& worker : s.snapshot().workers) {
    if (worker.state == SlotState::serving) slots.push_back(worker.slot);
  }
  EXPECT_THAT(slots, testing::UnorderedElementsAre(0, 1));
}

// --- requests and age

TEST(Replacing, EachWorkerGetsItsOwnNumberOfRequests) {
  Settings jittered = settings(200);
  jittered.limits.max_requests = 1000;
  jittered.limits.max_requests_jitter = 100;
  Supervisor supervisor(jittered);
  supervisor.on(Start{}, TimePoint(0s));
  supervisor.on(MoldStarted{1, kMold}, TimePoint(0s));
  std::int64_t least = 1'000'000;
  std::int64_t most = 0;
  for (const Action& action : supervisor.on(MoldLoaded{1}, TimePoint(0s))) {
    const auto* fork = std::get_if<ForkWorker>(&action);
    if (fork == nullptr) continue;
    least = std::min(least, fork->max_requests);
    most = std::max(most, fork->max_requests);
  }
  EXPECT_GE(least, 1000);
  EXPECT_LT(least, 1020);
  EXPECT_GT(most, 1080);
  EXPECT_LE(most, 1100);
}

TEST(Replacing, AgeIsSpreadByTheJitter) {
  Settings aged = settings(2);
  aged.limits.max_lifetime = 1h;
  aged.limits.max_lifetime_jitter = 10min;
  Script s(aged);
  s.booted_at(0s);
  const auto first = s.next_wakeup();
  EXPECT_GE(first, 1h);
  EXPECT_LE(first, 70min);
  const auto step = s.at(first, tick());
  step.expect({"fork worker 2"}).expect_line({"cause=max_lifetime"});
}

// --- the number of workers

TEST(Scaling, StartsAndRetiresWorkers) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(1s, ScaleRequested{+1, "TTIN"})
      .expect({"fork worker 2"})
      .expect_line({"info: scaling", "from=2", "to=3", "asked_by=TTIN"});
  s.at(1s, forked(2));
  s.at(1s, ready(2)).expect();
  s.at(2s, ScaleRequested{-2, "TTOU"}).expect({"drain worker 2", "drain worker 1"});
  EXPECT_EQ(s.states(), "serving draining draining");
  s.at(3s, exited(pid_of(2), 0)).expect().expect_line({"worker stopped", "cause=scale"});
}

TEST(Scaling, NeverBelowOne) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, ScaleRequested{-1, "TTOU"}).expect().expect_line({"warning: the number of workers stays", "workers=1"});
  s.at(1s, ScaleRequested{-100, "TTOU"}).expect();
}

TEST(Scaling, TakesBackWhoHasNotBootedFirst) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, ScaleRequested{+2, "TTIN"}).expect({"fork worker 1", "fork worker 2"});
  s.at(1s, forked(1));
  s.at(1s, ready(1));
  s.at(1s, ScaleRequested{-1, "TTOU"}).expect({"drain worker 2"});
  EXPECT_EQ(s.states(), "serving serving draining");
}

TEST(Scaling, WhileOneIsReplaced) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(1s, spent(0)).expect({"fork worker 2"});
  // Worker 0 was going anyway, and needs no successor now.
  s.at(1s, ScaleRequested{-1, "TTOU"}).expect({"drain worker 0", "drain worker 2"});
}

// --- memory

Sample sample(int slot, std::uint64_t memory) { return {slot, pid_of(slot), {TimePoint(0s), 'S', 0s}, memory}; }

Settings with_ceilings(std::size_t soft, std::size_t hard) {
  Settings result = settings(1);
  result.memory.soft = soft;
  result.memory.hard = hard;
  return result;
}

TEST(Memory, AboveSoftForSomeLooksInARowIsReplaced) {
  Script s(with_ceilings(100, 0));
  s.booted_at(0s);
  s.at(0s, LookedAtWorkers{});
  EXPECT_EQ(s.next_wakeup(), 1s);
  s.at(1s, tick()).expect({"look at workers and their memory"});
  s.at(1s, LookedAtWorkers{{sample(0, 150)}}).expect();
  s.at(2s, tick());
  s.at(2s, LookedAtWorkers{{sample(0, 90)}}).expect();  // a spike
  for (int second = 3; second < 5; ++second) {
    s.at(std::chrono::seconds(second), tick()).expect({"look at workers and their memory"});
    s.at(std::chrono::seconds(second), LookedAtWorkers{{sample(0, 150)}}).expect();
  }
  s.at(5s, tick());
  s.at(5s, LookedAtWorkers{{sample(0, 150)}}).expect({"fork worker 1"});
  EXPECT_EQ(s.snapshot().workers[0].cause, Cause::memory_soft);
}

TEST(Memory, AboveHardIsKilledWithinTwoIntervals) {
  Settings ceilings = with_ceilings(0, 100);
  ceilings.workers = 2;
  Script s(ceilings);
  s.booted_at(0s);
  s.at(0s, LookedAtWorkers{});
  s.at(1s, tick());
  s.at(1s, LookedAtWorkers{{sample(0, 150)}}).expect();
  EXPECT_EQ(s.next_wakeup(), 1500ms) << "sure after half an interval";
  s.at(1500ms, tick());
  s.at(1500ms, LookedAtWorkers{{sample(0, 150)}})
      .expect({"kill 100 by 9", "fork worker 2"})
      .expect_line({"error:", "hard memory ceiling", "next=killing it"});
  s.at(1500ms, killed(pid_of(0), SIGKILL, "SIGKILL")).expect().expect_line({"worker stopped", "cause=memory_hard"});
}

TEST(Memory, AShortSpikeAboveHardIsForgiven) {
  Script s(with_ceilings(0, 100));
  s.booted_at(0s);
  s.at(0s, LookedAtWorkers{});
  s.at(1s, tick());
  s.at(1s, LookedAtWorkers{{sample(0, 150)}}).expect();
  s.at(1500ms, tick());
  s.at(1500ms, LookedAtWorkers{{sample(0, 50)}}).expect();
  EXPECT_EQ(s.next_wakeup(), 2500ms);
}

TEST(Memory, ASampleOfAnotherProcessInTheSlotDoesNotCount) {
  Script s(with_ceilings(0, 100));
  s.booted_at(0s);
  for (int i = 0; i < 3; ++i) s.at(1s, LookedAtWorkers{{{0, 999, {}, 150}}}).expect();
}

TEST(Memory, TheKernelsKillIsNotACrash) {
  Script s(settings(2));
  s.booted_at(0s);
  ChildExited gone{pid_of(0), {true, SIGKILL, false, "SIGKILL"}};
  gone.exit.oom = true;
  s.at(10s, gone)
      .expect({"fork worker 0"})
      .expect_line({"error: worker died", "cause=oom", "for want of memory", "next=restarting at once"});
  EXPECT_EQ(s.snapshot().ended.at(Cause::oom), 1u);
}

TEST(Memory, TheKernelsKillAtTheHardCeilingIsSaidToBeThat) {
  Script s(settings(2));
  s.booted_at(0s);
  ChildExited gone{pid_of(0), {true, SIGKILL, false, "SIGKILL"}};
  gone.exit.above_hard = true;
  s.at(10s, gone).expect({"fork worker 0"}).expect_line({"error: worker died", "cause=memory_hard"});
}

// --- heartbeats

Settings with_heartbeat(int workers) {
  Settings result = settings(workers);
  result.limits.heartbeat_timeout = 10s;
  return result;
}

TEST(Heartbeat, AStoppedWorkerIsKilledAndReplacedAtOnce) {
  Script s(with_heartbeat(2));
  s.booted_at(0s);
  EXPECT_EQ(s.next_wakeup(), 10s);
  s.at(10s, tick()).expect({"look at workers"});
  const LookedAtWorkers looked{
      {{0, pid_of(0), {TimePoint(9s), 'S', 0s}, {}}, {1, pid_of(1), {TimePoint(0s), 'T', 0s}, {}}}};
  s.at(10s, looked).expect();
  s.at(10250ms, tick()).expect({"look at workers"});
  s.at(10250ms, looked)
      .expect({"kill 101 by 9", "fork worker 2"})
      .expect_line(
          {"error: worker hangs", "slot=1", "silent_ms=10250", "stopped by a signal", "cause=heartbeat_timeout"});
}

TEST(Heartbeat, ADeadlockedLoopIsAborted) {
  Script s(with_heartbeat(1));
  s.booted_at(0s);
  s.at(10s, tick());
  s.at(10s, LookedAtWorkers{{{0, pid_of(0), {TimePoint(0s), 'S', 0s}, {}}}}).expect();
  const auto next = s.next_wakeup();
  s.at(next, tick()).expect({"look at workers"});
  s.at(next, LookedAtWorkers{{{0, pid_of(0), {TimePoint(0s), 'S', 0s}, {}}}})
      .expect({"kill 100 by 6", "fork worker 1"});
}

/// Why it drains does not matter: its requests, the stop and the reload wait for a loop that turns.
TEST(Heartbeat, AWorkerThatHangsWhileItDrainsDoesNotKeepTheGrace) {
  struct Row {
    Event asked;
    Cause first;
  };
  for (const auto& [asked, first] : {Row{StopRequested{"TERM"}, Cause::stop},
                                     Row{ScaleRequested{-1, "TTOU"}, Cause::scale},
                                     Row{WorkerLeaving{1}, Cause::manual}}) {
    SCOPED_TRACE(name_of(first));
    Script s(with_heartbeat(2));
    s.booted_at(0s);
    s.at(5s, asked);
    while (s.next_wakeup() < 10s) s.at(s.next_wakeup(), tick());
    s.at(10s, tick());
    const LookedAtWorkers looked{{{1, pid_of(1), {TimePoint(0s), 'T', 0s}, {}}}};
    s.at(10s, looked);
    s.at(10250ms, tick());
    const auto found = s.at(10250ms, looked);
    EXPECT_THAT(found.actions, Contains("kill 101 by 9"));
    EXPECT_THAT(found.lines, Contains(AllOf(HasSubstr("worker hangs"), HasSubstr("it does not drain"))));
    const auto end = s.at(10300ms, killed(pid_of(1), SIGKILL, "SIGKILL"));
    EXPECT_THAT(end.lines, Contains(AllOf(HasSubstr("cause=heartbeat_timeout"),
                                          HasSubstr("first_cause=" + std::string(name_of(first))))));
  }
}

/// worker_stop() runs, for as long as it likes within the grace.
TEST(Heartbeat, ALoopThatHasEndedIsNotSilent) {
  Script s(with_heartbeat(1));
  s.booted_at(0s);
  s.at(5s, StopRequested{"TERM"});
  s.at(5s, exited(kMold, 0));
  const LookedAtWorkers looked{{{0, pid_of(0), {TimePoint::max(), 'S', 0s}, {}}}};
  for (auto time = s.next_wakeup(); time < 35s; time = s.next_wakeup()) {
    EXPECT_THAT(s.at(time, tick()).actions, Not(Contains(HasSubstr("kill 100"))));
    EXPECT_THAT(s.at(time, looked).actions, Not(Contains(HasSubstr("kill 100"))));
  }
  EXPECT_THAT(s.at(35s, tick()).actions, Contains("kill 100 by 9"));
}

/// An earlier version's worker does not say that its loop has ended.
TEST(Heartbeat, OneThatAnEarlierVersionHadKeepsItsGrace) {
  Script before(with_heartbeat(1));
  before.booted_at(0s);
  Script s(with_heartbeat(1), before, 1s);
  s.at(5s, StopRequested{"TERM"});
  s.at(5s, exited(kMold, 0));
  EXPECT_EQ(s.next_wakeup(), 35s);
}

TEST(Heartbeat, ASuspendedMachineKillsNobody) {
  Script s(with_heartbeat(1));
  s.booted_at(0s);
  s.at(3600s, tick()).expect();  // due at 10 s: nobody has run since
  EXPECT_EQ(s.next_wakeup(), 3610s);
}

TEST(Heartbeat, ALookThatFindsNobodyIsRepeated) {
  Script s(with_heartbeat(1));
  s.booted_at(0s);
  s.at(10s, tick()).expect({"look at workers"});
  s.at(10s, LookedAtWorkers{}).expect();
  EXPECT_GT(s.next_wakeup(), 10s);
  EXPECT_LT(s.next_wakeup(), 11s);
}

// --- a new library in a crash loop

TEST(CrashLoop, AnotherLibraryOnDiskIsLoaded) {
  Script s(settings(1));
  s.booted_at(0s);
  Clock::duration now = 1s;
  s.at(now, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect({"fork worker 0"});
  s.at(now, forked(0));
  s.at(now, ready(0));
  s.at(now, killed(pid_of(0), SIGSEGV, "SIGSEGV"));
  now = s.next_wakeup();
  const auto again = s.at(now, tick());
  again.expect({"fork worker 0"});
  EXPECT_TRUE(again.inspects) << "it has crashed twice in a row";
  const auto reload = s.at(now, AppChanged{1});
  EXPECT_THAT(reload.actions, testing::Contains("start mold 2"));
  EXPECT_THAT(reload.lines, testing::Contains(testing::HasSubstr("has changed on disk")));
}

TEST(CrashLoop, AHealthyWorkerKeepsTheOldLibrary) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(1s, AppChanged{1}).expect();
}

}  // namespace
}  // namespace serval::supervisor
