#include "supervisor/supervisor.hpp"

#include <gmock/gmock.h>

#include <csignal>

#include "base/exit_code.hpp"
#include "script.hpp"

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// --- booting

TEST(Supervisor, LoadsTheAppThenForksAllWorkersThenSaysThatItServes) {
  Script s(settings(2));
  s.at(0s, Start{}).expect({"start mold 1"});
  s.at(0s, MoldStarted{1, kMold}).expect();
  s.at(1s, MoldLoaded{1})
      .expect({"fork worker 0", "fork worker 1"})
      .expect_line({"info: app loaded", "gen=1", "load_ms=1000"});
  s.at(1s, forked(0)).expect();
  s.at(1s, forked(1)).expect();
  s.at(2s, ready(1)).expect().expect_line({"info: worker ready", "slot=1", "worker_pid=101", "boot_ms=1000"});
  const auto last = s.at(3s, ready(0));
  last.expect({"notify READY=1"});
  EXPECT_THAT(last.lines, testing::ElementsAre(testing::StartsWith("info: worker ready slot=0"),
                                               "info: serving workers=2 boot_ms=3000"));
  EXPECT_EQ(s.next_wakeup(), Clock::duration::max());
}

TEST(Supervisor, AWorkerMayBeReadyBeforeItsPidIsKnown) {
  Script s(settings(1));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, MoldLoaded{1});
  s.at(0s, ready(0)).expect().expect_no_line();
  const auto known = s.at(0s, forked(0));
  known.expect({"notify READY=1"});
  EXPECT_THAT(known.lines, testing::ElementsAre("info: worker ready slot=0 worker_pid=100 boot_ms=0",
                                                testing::StartsWith("info: serving")));
  s.at(1s, killed(pid_of(0), SIGKILL, "SIGKILL")).expect({"fork worker 0"});
}

TEST(Supervisor, IsUnreadyUntilAllHaveServedOnceAndWhenNobodyDoes) {
  Script s(settings(2));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, MoldLoaded{1});
  for (const int slot : {0, 1}) s.at(0s, forked(slot));
  s.at(1s, ready(0));
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), "booting");
  s.at(1s, ready(1));
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), "");
  s.at(9s, killed(pid_of(0), SIGSEGV, "SIGSEGV"));
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), "");
  s.at(9s, killed(pid_of(1), SIGSEGV, "SIGSEGV"));
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), "no worker serves");
  s.at(9s, StopRequested{"TERM"});
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), "stopping");
}

TEST(Supervisor, AnAppThatDoesNotLoadEndsTheServerWithOneErrorLine) {
  Script s(settings(2));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, MoldLoadFailed{1, "no such file"}).expect().expect_no_line();
  s.at(0s, exited(kMold, 1))
      .expect({"notify STOPPING=1", "refuse", "finish 1"})
      .expect_line({"error: the app failed to load", "why=no such file"});
}

TEST(Supervisor, ACrashWhileLoadingNamesTheSignal) {
  Script s(settings(2));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, killed(kMold, SIGSEGV, "SIGSEGV"))
      .expect({"notify STOPPING=1", "refuse", "finish 1"})
      .expect_line({"error:", "SIGSEGV", "core=no"});
}

TEST(Supervisor, AHangWhileLoadingIsKilledAtBootTimeout) {
  Script s(settings(2));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  EXPECT_EQ(s.next_wakeup(), 60s);
  s.at(60s, tick()).expect({"kill 50 by 9"});
  s.at(60s, killed(kMold, SIGKILL, "SIGKILL"))
      .expect({"notify STOPPING=1", "refuse", "finish 1"})
      .expect_line({"workers.boot_timeout"});
}

TEST(Supervisor, AMoldThatCannotBeStartedEndsTheServer) {
  Script s(settings(2));
  s.at(0s, Start{}).expect({"start mold 1"});
  s.at(0s, MoldNotStarted{1, "out of memory"})
      .expect({"notify STOPPING=1", "refuse", "finish 1"})
      .expect_line({"error:", "out of memory"});
}

TEST(Supervisor, ServesIfOnlySomeWorkersFailToBoot) {
  Script s(settings(2));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, MoldLoaded{1});
  s.at(0s, forked(0));
  s.at(0s, forked(1));
  s.at(1s, WorkerBootFailed{0, "no database"}).expect();
  s.at(1s, exited(pid_of(0), 1))
      .expect()
      .expect_line({"warning: worker died", "slot=0", "cause=boot_failed", "no database"});
  s.at(1s, ready(1)).expect();
  const auto again = s.next_wakeup();
  EXPECT_LE(again, 1s + 100ms);
  s.at(again, tick()).expect({"fork worker 0"});
  s.at(again, forked(0));
  s.at(2s, ready(0)).expect({"notify READY=1"});
}

TEST(Supervisor, EndsIfNoWorkerBoots) {
  Script s(settings(2));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, MoldLoaded{1});
  s.at(0s, forked(0));
  s.at(0s, forked(1));
  s.at(0s, killed(pid_of(0), SIGABRT, "SIGABRT")).expect();
  const auto step = s.at(0s, killed(pid_of(1), SIGABRT, "SIGABRT"));
  step.expect({"notify STOPPING=1", "refuse", "stop mold 1", "kill 50 by 9"});
  EXPECT_THAT(step.lines, testing::ElementsAre(testing::StartsWith("warning: worker died"),
                                               testing::AllOf(testing::StartsWith("error: the app did not boot"),
                                                              testing::HasSubstr("SIGABRT"))));
  s.at(0s, killed(kMold, SIGKILL, "SIGKILL")).expect({"finish 1"});
}

TEST(Supervisor, AWorkerThatDoesNotBecomeReadyIsKilledAtBootTimeout) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(100s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect({"fork worker 0"});
  s.at(100s, forked(0, 200)).expect();
  s.at(101s, tick()).expect_line({"error: no worker serves"});
  EXPECT_EQ(s.next_wakeup(), 160s);
  s.at(160s, tick()).expect({"kill 200 by 9"}).expect_line({"slot=0", "worker_pid=200", "workers.boot_timeout"});
  s.at(160s, killed(200, SIGKILL, "SIGKILL"))
      .expect()
      .expect_line({"error: worker died", "cause=boot_failed", "next=restarting"});
  EXPECT_EQ(s.states(), "cooling");
}

TEST(Supervisor, AMoldThatDoesNotAnswerAForkIsReplaced) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, killed(pid_of(0), SIGKILL, "SIGKILL")).expect({"fork worker 0"});
  s.at(61s, tick()).expect({"kill 50 by 9"});
  s.at(61s, killed(kMold, SIGKILL, "SIGKILL")).expect({"start mold 1"});
  s.at(61s, MoldStarted{1, 51});
  s.at(61s, MoldLoaded{1}).expect({"fork worker 0"});
}

// --- crashes

TEST(Supervisor, AHealthyWorkerThatDiesIsReplacedAtOnce) {
  Script s(settings(3));
  s.booted_at(0s);
  s.at(10s, killed(pid_of(1), SIGKILL, "SIGKILL"))
      .expect({"fork worker 1"})
      .expect_line({"error: worker died", "slot=1", "worker_pid=101", "age_ms=10000", "signal=SIGKILL", "core=no",
                    "cause=crash", "next=restarting at once"});
}

TEST(Supervisor, ExitCodeZeroIsACrashTooIfNobodyAskedForIt) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(10s, exited(pid_of(0), 0)).expect({"fork worker 0"}).expect_line({"exit_code=0", "cause=crash"});
}

TEST(Supervisor, WaitsLongerAndLongerForAWorkerThatKeepsDying) {
  Script s(settings(1));
  s.booted_at(0s);
  Clock::duration now = 10s;
  s.at(now, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect({"fork worker 0"});
  for (int crash = 2; crash <= 12; ++crash) {
    s.at(now, forked(0));
    s.at(now, ready(0));
    now += 1ms;
    s.at(now, killed(pid_of(0), SIGSEGV, "SIGSEGV"));
    EXPECT_LE(s.next_wakeup() - now, std::min<Clock::duration>(100ms * (1 << (crash - 1)), 30s)) << crash;
    now = std::max(now, s.next_wakeup());
    s.at(now, tick())
        .expect(s.states() == "starting" ? std::initializer_list<std::string_view>{"fork worker 0"}
                                         : std::initializer_list<std::string_view>{});
  }
}

TEST(Supervisor, HealthForgivesEarlierCrashes) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect({"fork worker 0"});
  s.at(1s, forked(0));
  s.at(1s, ready(0));
  s.at(61s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect({"fork worker 0"});
}

TEST(Supervisor, GivesUpAfterCrashesWithoutAHealthyWorker) {
  Settings with = settings(1);
  with.restart.give_up_after = 3;
  with.restart.backoff_first = 1ms;
  with.restart.backoff_max = 1ms;
  Script s(with);
  s.booted_at(0s);
  s.at(1s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect({"fork worker 0"});
  s.at(1s, forked(0));
  s.at(2s, exited(pid_of(0), 1));
  s.at(3s, tick());
  s.at(3s, forked(0));
  s.at(4s, exited(pid_of(0), 1))
      .expect({"notify STOPPING=1", "refuse", "stop mold 1"})
      .expect_line({"error: worker died", "next=giving up"});
  s.at(4s, exited(kMold, 0)).expect({"finish 75"});
}

TEST(Supervisor, AHealthyWorkerInBetweenIsNoReasonToGiveUp) {
  Settings with = settings(1);
  with.restart.give_up_after = 2;
  Script s(with);
  s.booted_at(0s);
  for (int i = 1; i <= 5; ++i) {
    s.at(i * 60s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect({"fork worker 0"});
    s.at(i * 60s, forked(0));
    s.at(i * 60s, ready(0));
  }
}

TEST(Supervisor, DoesNotGiveUpWhileAnotherWorkerServes) {
  Settings with = settings(2);
  with.restart.give_up_after = 1;
  Script s(with);
  s.booted_at(0s);
  s.at(1s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect({"fork worker 0"});
  s.at(1s, forked(0));
  s.at(1s, exited(pid_of(0), 1)).expect();
  EXPECT_EQ(s.states(), "cooling serving");
}

TEST(Supervisor, AForkThatFailsIsTriedAgain) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, killed(pid_of(0), SIGKILL, "SIGKILL")).expect({"fork worker 0"});
  s.at(1s, ForkFailed{0, "it has threads: pool(7)"}).expect().expect_line({"error: worker died", "pool(7)"});
  s.at(s.next_wakeup(), tick()).expect({"fork worker 0"});
}

TEST(Supervisor, BoundsForksPerSecond) {
  Settings with = settings(1);
  with.forks_per_second = 1;
  with.restart.backoff_first = 0ms;
  with.restart.backoff_max = 0ms;
  Script s(with);
  s.booted_at(0s);  // one fork of a burst of 3
  for (int i = 0; i < 2; ++i) {
    s.at(0s, killed(pid_of(0), SIGKILL, "SIGKILL")).expect({"fork worker 0"});
    s.at(0s, forked(0));
    s.at(0s, ready(0));
  }
  s.at(0s, killed(pid_of(0), SIGKILL, "SIGKILL")).expect();
  s.at(500ms, tick()).expect().expect_line({"error: no worker serves"});
  EXPECT_EQ(s.next_wakeup(), 1s);
  s.at(1s, tick()).expect({"fork worker 0"});
}

// --- the mold

TEST(Supervisor, AMoldThatDiesIsReplacedAndTheWorkersGoOn) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(5s, killed(kMold, SIGKILL, "SIGKILL"))
      .expect({"start mold 1"})
      .expect_line({"error: mold died", "SIGKILL", "next=restarting at once"});
  EXPECT_EQ(s.states(), "serving serving");
  s.at(5s, killed(pid_of(0), SIGKILL, "SIGKILL")).expect();
  s.at(5s, MoldStarted{1, 51}).expect();
  s.at(6s, MoldLoaded{1}).expect({"fork worker 0"});
}

TEST(Supervisor, WorkersThatTheDeadMoldOwedAreAskedOfTheNextOne) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, killed(pid_of(0), SIGKILL, "SIGKILL")).expect({"fork worker 0"});
  s.at(1s, killed(kMold, SIGKILL, "SIGKILL")).expect({"start mold 1"});
  EXPECT_EQ(s.states(), "empty");
  s.at(1s, MoldStarted{1, 51});
  s.at(1s, MoldLoaded{1}).expect({"fork worker 0"});
}

TEST(Supervisor, AMoldThatFailsToLoadLaterIsTriedAgain) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(5s, killed(kMold, SIGKILL, "SIGKILL"));
  s.at(5s, MoldStarted{1, 51});
  s.at(5s, MoldLoadFailed{1, "the library is gone"});
  s.at(5s, exited(51, 1)).expect_line({"error: mold died", "the library is gone", "next=restarting"});
  EXPECT_EQ(s.states(), "serving");
  EXPECT_LE(s.next_wakeup(), 5s + 200ms);
}

// --- workers that leave

TEST(Supervisor, AWorkerThatLeavesGetsASuccessorInASpareSlotUnlessAStopFollows) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(5s, WorkerLeaving{0}).expect().expect_line({"info: worker leaves", "slot=0"});
  EXPECT_EQ(s.next_wakeup(), 5s + 100ms);
  s.at(5s + 100ms, tick()).expect({"fork worker 2"});
  s.at(5s + 100ms, forked(2));
  s.at(5s + 100ms, ready(2));
  EXPECT_EQ(s.states(), "draining serving serving");
  s.at(6s, exited(pid_of(0), 0)).expect().expect_line({"info: worker stopped", "cause=manual"});
  EXPECT_EQ(s.states(), "empty serving serving");
  EXPECT_EQ(s.snapshot().ended[Cause::manual], 1u);
}

TEST(Supervisor, WhoDoesNotTakeMessagesIsReplaced) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(5s, WorkerDeaf{0}).expect({"fork worker 1"});
  EXPECT_EQ(s.snapshot().workers[0].cause, Cause::unfit);
  s.at(5s, WorkerDeaf{0}).expect().expect_no_line();
  s.at(5s, forked(1));
  s.at(6s, WorkerDeaf{1}).expect({"kill 101 by 9"});  // while it starts: what it has missed is anybody's guess
  s.at(7s, MoldDeaf{1}).expect({"kill 50 by 9"});
  s.at(7s, MoldDeaf{1}).expect();
  s.at(7s, killed(kMold, SIGKILL, "SIGKILL")).expect_line({"error: mold died", "why=it does not take messages"});
}

/// One after another, they do not put off the first one's successor.
TEST(Supervisor, TheFirstOfSeveralWorkersThatLeaveWaitsNoLongerForAStop) {
  Script s(settings(3));
  s.booted_at(0s);
  s.at(5s, WorkerLeaving{0}).expect();
  s.at(5s + 60ms, WorkerLeaving{1}).expect();
  s.at(5s + 100ms, tick()).expect({"fork worker 3", "fork worker 4"});
}

/// Ctrl-C: the workers are faster than the master's own signal.
TEST(Supervisor, AProcessGroupThatIsSignalledStopsWithoutSuccessorsAndWithoutAnAlarm) {
  Script s(settings(2));
  s.booted_at(0s);
  for (int slot = 0; slot < 2; ++slot) s.at(5s, WorkerLeaving{slot}).expect();
  for (int slot = 0; slot < 2; ++slot) s.at(5s + 10ms, left(slot)).expect().expect_no_line();
  s.at(5s + 20ms, exited(pid_of(0), 0)).expect();
  s.at(5s + 20ms, exited(pid_of(1), 0)).expect().expect_line({"info: worker stopped"});
  s.at(5s + 30ms, StopRequested{"INT"})
      .expect({"notify STOPPING=1", "refuse", "stop mold 1"})
      .expect_line({"info: stopping"});
  s.at(5s + 40ms, exited(kMold, 0)).expect({"finish 0"}).expect_no_line();
}

/// Those that still drain when the master's own signal comes; one that was told long before left for that.
TEST(Supervisor, WorkersThatWereSignalledWithTheMasterLeaveForTheStop) {
  Script s(settings(3));
  s.booted_at(0s);
  s.at(4s, WorkerLeaving{0});
  s.at(5s, WorkerLeaving{1});
  s.at(5s, StopRequested{"INT"}).expect_line({"info: stopping"});
  for (int slot = 0; slot < 3; ++slot) s.at(6s, exited(pid_of(slot), 0));
  EXPECT_EQ(s.snapshot().ended[Cause::manual], 1u);
  EXPECT_EQ(s.snapshot().ended[Cause::stop], 2u);
}

TEST(Supervisor, AWorkerThatIsSignalledDuringTheDelayOfAStopLeavesForTheStop) {
  Settings delayed = settings(1);
  delayed.delay = 10s;
  Script s(delayed);
  s.booted_at(0s);
  s.at(5s, StopRequested{"INT"});
  s.at(5s, WorkerLeaving{0}).expect({"fork worker 1"});
  s.at(6s, exited(pid_of(0), 0)).expect_line({"info: worker stopped", "cause=stop"});
}

/// A worker can be ready before its mold has said its pid; one whose pid stays unknown could never be killed, and a
/// stop would wait for it.
TEST(Supervisor, AMoldThatDoesNotSayWhichProcessAWorkerIsIsReplaced) {
  Script s(settings(1));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, MoldLoaded{1});
  s.at(1s, ready(0));
  EXPECT_EQ(s.next_wakeup(), 60s);
  s.at(60s, tick()).expect({"kill 50 by 9"}).expect_line({"warning: the mold does not say which process a worker is"});
  s.at(60s, killed(kMold, SIGKILL, "SIGKILL")).expect({"start mold 1"});
  EXPECT_EQ(s.states(), "empty");
}

TEST(Supervisor, AWorkerThatLeavesTooSlowlyIsKilled) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(5s, WorkerLeaving{0});
  s.at(6s, tick()).expect({"fork worker 1"});
  s.at(6s, forked(1));
  s.at(6s, ready(1));
  s.at(6s, left(0)).expect();
  EXPECT_EQ(s.next_wakeup(), 35s);
  s.at(35s, tick()).expect({"kill 100 by 9"}).expect_line({"warning:", "grace", "slot=0"});
  s.at(35s, killed(pid_of(0), SIGKILL, "SIGKILL")).expect().expect_line({"cause=grace_over", "first_cause=manual"});
  EXPECT_EQ(s.snapshot().ended[Cause::grace_over], 1u);
}

// --- stopping

TEST(Supervisor, StopDrainsEverybodyThenFinishes) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(9s, StopRequested{"TERM"})
      .expect({"notify STOPPING=1", "refuse", "stop worker 0", "stop worker 1", "stop mold 1"})
      .expect_line({"info: stopping", "signal=TERM"});
  s.at(9s, exited(kMold, 0)).expect();
  s.at(10s, exited(pid_of(0), 0)).expect().expect_line({"info: worker stopped", "cause=stop"});
  s.at(10s, exited(pid_of(1), 0)).expect({"finish 0"});
  EXPECT_EQ(s.next_wakeup(), Clock::duration::max());
}

TEST(Supervisor, AMoldThatTakesLongToEndIsNamedThenKilled) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(10s, StopRequested{"TERM"});
  s.at(10s, exited(pid_of(0), 0));
  EXPECT_EQ(s.next_wakeup(), 15s);
  s.at(15s, tick())
      .expect()
      .expect_line({"warning: the mold takes long to end", "gen=1", "mold_pid=50", "killing it in 25000ms"});
  EXPECT_EQ(s.next_wakeup(), 40s);
  s.at(40s, tick())
      .expect({"kill 50 by 9"})
      .expect_line({"warning: the mold did not end within the grace", "mold_pid=50", "grace_ms=30000"});
  s.at(40s, killed(kMold, SIGKILL, "SIGKILL")).expect({"finish 0"}).expect_no_line();
}

TEST(Supervisor, AShortGraceIsNotOverBeforeAWord) {
  Settings two_seconds = settings(1);
  two_seconds.grace = 2s;
  Script s(two_seconds);
  s.booted_at(0s);
  s.at(10s, StopRequested{"TERM"});
  s.at(10s, exited(pid_of(0), 0));
  s.at(11s, tick()).expect_line({"warning: the mold takes long to end", "killing it in 1000ms"});
}

TEST(Supervisor, AMoldThatDiesWhileItEndsIsNotPassedOver) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(10s, StopRequested{"TERM"});
  s.at(10s, killed(kMold, SIGABRT, "SIGABRT"))
      .expect()
      .expect_line({"warning: the mold died while it ended", "gen=1", "mold_pid=50", "signal=SIGABRT"});
  s.at(10s, exited(pid_of(0), 0)).expect({"finish 0"});
}

TEST(Supervisor, AnExitCodeOfAMoldThatEndsIsSaidAndZeroIsNot) {
  for (const int code : {0, 3}) {
    Script s(settings(1));
    s.booted_at(0s);
    s.at(10s, StopRequested{"TERM"});
    const auto end = s.at(10s, exited(kMold, code));
    code == 0 ? end.expect_no_line() : end.expect_line({"warning: the mold died while it ended", "exit_code=3"});
  }
}

TEST(Supervisor, StopCutsWhatOutlivesTheGrace) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(10s, StopRequested{"TERM"});
  s.at(10s, exited(kMold, 0));
  s.at(10s, exited(pid_of(0), 0));
  EXPECT_EQ(s.next_wakeup(), 40s);
  s.at(40s, tick()).expect({"kill 101 by 9"}).expect_line({"warning:", "slot=1", "worker_pid=101", "grace"});
  s.at(40s, killed(pid_of(1), SIGKILL, "SIGKILL")).expect({"finish 0"});
}

/// It is busy in worker_start and has no client; the one that had just become ready says so, and gets its grace.
TEST(Supervisor, StopDoesNotWaitForAWorkerThatIsStillStarting) {
  Script s(settings(2));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, MoldLoaded{1});
  for (const int slot : {0, 1}) s.at(0s, forked(slot));
  s.at(9s, StopRequested{"TERM"})
      .expect({"notify STOPPING=1", "refuse", "stop worker 0", "stop worker 1", "stop mold 1"});
  s.at(9s, exited(kMold, 0));
  s.at(9s, ready(1)).expect().expect_no_line();
  EXPECT_EQ(s.next_wakeup(), 10s);
  s.at(10s, tick())
      .expect({"kill 100 by 9"})
      .expect_line({"info: worker is still starting, killing it", "slot=0", "worker_pid=100"});
  s.at(10s, killed(pid_of(0), SIGKILL, "SIGKILL")).expect();
  EXPECT_EQ(s.next_wakeup(), 39s);
  s.at(12s, exited(pid_of(1), 0)).expect({"finish 0"});
}

TEST(Supervisor, ASecondSignalKillsAtOnce) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(1s, StopRequested{"TERM"});
  s.at(2s, StopRequested{"INT"}).expect({"kill 100 by 9", "kill 101 by 9", "kill 50 by 9"});
  s.at(2s, StopRequested{"INT"}).expect();
  s.at(2s, killed(pid_of(0), SIGKILL, "SIGKILL")).expect();
  s.at(2s, killed(pid_of(1), SIGKILL, "SIGKILL")).expect();
  s.at(2s, killed(kMold, SIGKILL, "SIGKILL")).expect({"finish 0"});
}

TEST(Supervisor, AStopSaysWhatItWaitsForAndHowItEndsAtOnce) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, StopRequested{.signal = "INT", .requests = 3})
      .expect_line({"info: stopping", "signal=INT", "requests=3", "at_most=30s",
                    "next=", "again, or serval stop --now, to stop at once"});
}

TEST(Supervisor, NoWorkerServesIsSaidOnceAndSoIsItsEnd) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(1s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect_line({"error: worker died"});  // one still serves
  const auto last = s.at(2s, killed(pid_of(1), SIGSEGV, "SIGSEGV"));
  EXPECT_THAT(last.lines, ElementsAre(HasSubstr("error: worker died")));
  EXPECT_EQ(s.next_wakeup(), 2s + 500ms);
  s.at(2s + 500ms, tick()).expect_line({"error: no worker serves", "wanted=2"});
  s.at(3s, forked(0, 200)).expect_no_line();
  const auto first = s.at(4s, ready(0));
  EXPECT_THAT(first.lines, ElementsAre(HasSubstr("info: worker ready"),
                                       AllOf(HasSubstr("info: workers serve again"), HasSubstr("after_ms=2000"))));
  s.at(5s, forked(1, 201));
  s.at(6s, ready(1)).expect_line({"info: worker ready"});
}

TEST(Supervisor, ThatNoWorkerServesForAMomentIsNotSaid) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(2s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect_line({"error: worker died"});
  s.at(2s + 400ms, forked(0, 200)).expect_no_line();
  s.at(2s + 499ms, ready(0)).expect_line({"info: worker ready"});
  s.at(9s, tick()).expect_no_line();
}

TEST(Supervisor, ALargeFleetThatStopsHasNoLineForEachWorker) {
  for (const auto& [workers, level] : {std::pair{10, "info: worker stopped"}, {11, "debug: worker stopped"}}) {
    Script s(settings(workers));
    s.booted_at(0s);
    s.at(1s, StopRequested{"TERM"});
    s.at(2s, exited(pid_of(0), 0)).expect_line({level});
    s.at(2s, killed(pid_of(1), SIGSEGV, "SIGSEGV")).expect_line({"warning: worker died while it drained"});
  }
}

/// timeout(1) and others deliver one signal twice.
TEST(Supervisor, ASignalThatComesAgainWithinASecondIsTheSameOne) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, StopRequested{"TERM"}).expect({"notify STOPPING=1", "refuse", "stop worker 0", "stop mold 1"});
  s.at(1s, StopRequested{"TERM"}).expect();
  s.at(1500ms, StopRequested{"INT"}).expect();
  s.at(1999ms, StopRequested{"TERM"}).expect();
  s.at(2000ms, StopRequested{"TERM"})
      .expect({"kill 100 by 9", "kill 50 by 9"})
      .expect_line({"warning: stopping at once: second signal"});
}

TEST(Supervisor, WhatOneMoreRequestToStopWouldDoIsKnown) {
  const StopRequested ask{"serval stop"}, now{"serval stop --now", true};
  Script s(settings(1));
  s.booted_at(0s);
  EXPECT_EQ(s.effect_of(ask, 1s), StopEffect::graceful);
  EXPECT_EQ(s.effect_of(now, 1s), StopEffect::at_once);
  s.at(1s, ask);
  EXPECT_EQ(s.effect_of(ask, 1999ms), StopEffect::nothing) << "the same signal once more";
  EXPECT_EQ(s.effect_of(now, 1999ms), StopEffect::at_once);
  EXPECT_EQ(s.effect_of(ask, 2s), StopEffect::at_once);
  s.at(2s, ask);
  EXPECT_EQ(s.effect_of(ask, 9s), StopEffect::nothing);
  EXPECT_EQ(s.effect_of(now, 9s), StopEffect::nothing);
}

TEST(Supervisor, ASignalDuringTheDelayOfAStopThatComesAgainWithinASecondIsTheSameOne) {
  Settings delayed = settings(1);
  delayed.delay = 5s;
  Script s(delayed);
  s.booted_at(0s);
  s.at(1s, StopRequested{"TERM"}).expect({"notify STOPPING=1"});
  s.at(1s, StopRequested{"TERM"}).expect();
  EXPECT_EQ(s.states(), "serving");
}

TEST(Supervisor, StopNowDoesNotWaitForASecondSignal) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, StopRequested{"serval stop --now", true})
      .expect({"notify STOPPING=1", "refuse", "stop worker 0", "stop mold 1", "kill 100 by 9", "kill 50 by 9"});
  Script stopping(settings(1));
  stopping.booted_at(0s);
  stopping.at(1s, StopRequested{"TERM"});
  stopping.at(1s, StopRequested{"serval stop --now", true}).expect({"kill 100 by 9", "kill 50 by 9"});
}

/// systemd signals a server that is about to give up: nobody has lost patience with its stop.
TEST(Supervisor, TheFirstSignalOfAServerThatStopsByItselfCutsNothing) {
  Settings stubborn = settings(1);
  stubborn.restart.give_up_after = 1;
  Script s(stubborn);
  s.booted_at(0s);
  s.at(0s, WorkerLeaving{0});
  s.at(1s, tick()).expect({"fork worker 1"});
  s.at(1s, forked(1));
  s.at(1s, ready(1));
  s.at(1s, killed(pid_of(1), SIGSEGV, "SIGSEGV"));
  EXPECT_TRUE(s.snapshot().stopping);
  s.at(2s, StopRequested{"TERM"}).expect();
  EXPECT_THAT(s.at(4s, StopRequested{"TERM"}).actions, testing::Contains("kill 100 by 9"));
}

/// Two workers serve, and a stop was asked for at 10 s that waits for 5 s.
Script with_delayed_stop() {
  Settings delayed = settings(2);
  delayed.delay = 5s;
  Script s(delayed);
  s.booted_at(0s);
  s.at(10s, StopRequested{"TERM"})
      .expect({"notify STOPPING=1"})
      .expect_line({"info: stopping", "signal=TERM", "delay_ms=5000"});
  return s;
}

TEST(DelayedStop, ServesOnUnreadyThenDrains) {
  Script s = with_delayed_stop();
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), "stopping");
  EXPECT_TRUE(s.snapshot().stopping);
  EXPECT_EQ(s.next_wakeup(), 15s);
  s.at(15s, tick())
      .expect({"refuse", "stop worker 0", "stop worker 1", "stop mold 1"})
      .expect_line({"info:", "delay", "over"});
  s.at(15s, exited(kMold, 0));
  s.at(15s, exited(pid_of(0), 0));
  s.at(15s, exited(pid_of(1), 0)).expect({"finish 0"});
}

TEST(DelayedStop, ReplacesWhoDies) {
  Script s = with_delayed_stop();
  s.at(11s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect({"fork worker 0"});
  s.at(11s, forked(0));
  s.at(12s, WorkerLeaving{1}).expect({"fork worker 2"});  // systemd signals every process
}

TEST(DelayedStop, ASecondSignalStopsAtOnce) {
  Script s = with_delayed_stop();
  s.at(11s, StopRequested{"TERM"})
      .expect({"refuse", "stop worker 0", "stop worker 1", "stop mold 1", "kill 100 by 9", "kill 101 by 9",
               "kill 50 by 9"});
}

TEST(DelayedStop, RefusesReloadsAndScaling) {
  Script s = with_delayed_stop();
  s.at(11s, ReloadRequested{"HUP", {}}).expect({"reload failed: the server is stopping, generation 1"});
  s.at(11s, ReloadRefused{"no such key"}).expect();
  s.at(11s, ScaleRequested{+1, "TTIN"}).expect().expect_line({"warning:", "the number of workers stays"});
}

TEST(DelayedStop, AReloadThatIsUnderWayDoesNotTakeItBack) {
  Settings delayed = settings(1);
  delayed.delay = 5s;
  Script s(delayed);
  s.booted_at(0s);
  s.at(10s, ReloadRequested{"HUP", {}});
  s.at(10s, MoldStarted{2, 51});
  s.at(10s, StopRequested{"TERM"}).expect({"notify STOPPING=1"});
  s.at(11s, MoldLoadFailed{2, "undefined symbol"});
  s.at(11s, exited(51, 1)).expect({"reload failed: undefined symbol, generation 1"});
  s.at(15s, tick()).expect({"refuse", "stop worker 0", "stop mold 1"});
}

TEST(DelayedStop, WhoNeverServedStopsWithoutDelay) {
  Settings delayed = settings(1);
  delayed.delay = 5s;
  Script s(delayed);
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(1s, StopRequested{"TERM"}).expect({"notify STOPPING=1", "refuse", "kill 50 by 9"});
}

TEST(Supervisor, StopWhileLoadingKillsTheMold) {
  Script s(settings(2));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(1s, StopRequested{"INT"}).expect({"notify STOPPING=1", "refuse", "kill 50 by 9"});
  s.at(1s, killed(kMold, SIGKILL, "SIGKILL")).expect({"finish 0"});
}

TEST(Supervisor, StopWhileForkingWaitsForTheMoldsAnswer) {
  Script s(settings(2));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, MoldLoaded{1}).expect({"fork worker 0", "fork worker 1"});
  s.at(1s, StopRequested{"INT"}).expect({"notify STOPPING=1", "refuse", "stop worker 0", "stop worker 1"});
  s.at(1s, forked(0)).expect();
  s.at(1s, ForkFailed{1, "no memory"}).expect({"stop mold 1"});
  s.at(1s, exited(kMold, 0)).expect();
  s.at(1s, exited(pid_of(0), 0)).expect({"finish 0"});
}

TEST(Supervisor, ASecondSignalWhileForkingKillsTheWorkerOnceItsPidIsKnown) {
  Script s(settings(1));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, MoldLoaded{1});
  s.at(1s, StopRequested{"INT"});
  s.at(2s, StopRequested{"INT"}).expect({"kill 50 by 9"});
  s.at(2s, forked(0)).expect({"kill 100 by 9"});
  s.at(2s, killed(kMold, SIGKILL, "SIGKILL")).expect();
  s.at(2s, killed(pid_of(0), SIGKILL, "SIGKILL")).expect({"finish 0"});
}

TEST(Supervisor, StartsNothingWhileStopping) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(10s, StopRequested{"TERM"});
  s.at(10s, killed(pid_of(0), SIGSEGV, "SIGSEGV"))
      .expect()
      .expect_line({"warning: worker died while it drained", "signal=SIGSEGV", "cause=stop"});
  EXPECT_EQ(s.states(), "empty draining");
}

// --- logs

TEST(Supervisor, SaysThatLogsAreReopenedWhenEverybodyHas) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(1s, LogsReopened{}).expect({"reopen mold 1", "reopen worker 0", "reopen worker 1"}).expect_no_line();
  s.at(1s, WorkerReopened{1}).expect_no_line();
  s.at(1s, MoldReopened{1}).expect_no_line();
  s.at(1s, WorkerReopened{0}).expect_line({"info: logs reopened", "processes=4"});
}

TEST(Supervisor, ADeadWorkerNeedNotReopen) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(1s, LogsReopened{});
  s.at(1s, MoldReopened{1});
  s.at(1s, WorkerReopened{0});
  EXPECT_THAT(
      s.at(1s, killed(pid_of(1), SIGKILL, "SIGKILL")).lines,
      testing::ElementsAre(testing::HasSubstr("worker died"),
                           testing::AllOf(testing::HasSubstr("logs reopened"), testing::HasSubstr("processes=3"))));
}

TEST(Supervisor, ASecondReopenWaitsForItsOwnAnswers) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, LogsReopened{});
  s.at(1s, LogsReopened{});
  s.at(1s, MoldReopened{1});
  s.at(1s, WorkerReopened{0});
  s.at(1s, MoldReopened{1}).expect_no_line();
  s.at(1s, WorkerReopened{0}).expect_line({"logs reopened", "processes=3"});
}

// --- nonsense from outside

TEST(Supervisor, IgnoresMessagesAboutWorkersThatAreNotThere) {
  Script s(settings(1));
  s.booted_at(0s);
  for (const int slot : {-1, 1, 1000}) {
    s.at(1s, forked(slot, 7)).expect().expect_no_line();
    s.at(1s, ready(slot)).expect().expect_no_line();
    s.at(1s, WorkerBootFailed{slot, "?"}).expect().expect_no_line();
    s.at(1s, WorkerLeaving{slot}).expect().expect_no_line();
    s.at(1s, ForkFailed{slot, "?"}).expect().expect_no_line();
    s.at(1s, WorkerReopened{slot}).expect().expect_no_line();
  }
  s.at(1s, MoldLoaded{2}).expect().expect_no_line();
  s.at(1s, exited(4711, 0)).expect().expect_no_line();
  EXPECT_EQ(s.states(), "serving");
}

/// The exit code of a worker that has lost its channel or its loop is all that it can say.
TEST(Supervisor, AWorkerThatLostItsDescriptorsIsUnfitInWhateverStateItIs) {
  constexpr std::string_view kWhy = "the app has closed a descriptor of serval's";
  Script serving(settings(2));
  serving.booted_at(0s);
  serving.at(1s, exited(pid_of(0), exit_code::unfit))
      .expect({"fork worker 0"})
      .expect_line({"worker died", "cause=unfit", kWhy});
  EXPECT_EQ(serving.snapshot().ended.at(Cause::unfit), 1U);

  Script draining(settings(2));
  draining.booted_at(0s);
  draining.at(1s, ScaleRequested{-1, "TTOU"});
  draining.at(1s, exited(pid_of(1), exit_code::unfit))
      .expect_line({"worker died while it drained", "cause=unfit", "first_cause=scale", kWhy});

  Script starting(settings(2));
  starting.booted_at(0s);
  starting.at(1s, killed(pid_of(0), SIGSEGV, "SIGSEGV"));
  starting.at(1s, forked(0, 200));
  starting.at(1s, exited(200, exit_code::unfit)).expect_line({"worker died", "cause=boot_failed", kWhy});
}

}  // namespace
}  // namespace serval::supervisor
