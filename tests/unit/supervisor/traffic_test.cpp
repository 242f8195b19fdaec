#include <gmock/gmock.h>

#include <csignal>

#include "script.hpp"

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

constexpr const char* kDraining = "draining (serval drain)";
constexpr const char* kPaused = "paused (serval pause)";

Event pause() { return PauseRequested{true, "serval pause"}; }
Event resume() { return PauseRequested{false, "serval resume"}; }

// --- whether it is ready for traffic

TEST(Drain, IsNotReadyUntilItIsTakenBackAndServesOn) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, DrainRequested{true, "serval drain"}).expect().expect_line({"info: draining", "by=serval drain"});
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), kDraining);
  EXPECT_EQ(s.states(), "serving");
  s.at(2s, DrainRequested{true, "serval drain"}).expect().expect_no_line();
  s.at(3s, DrainRequested{false, "serval undrain"}).expect().expect_line({"info: draining no more"});
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), "");
  s.at(4s, DrainRequested{false, "serval undrain"}).expect().expect_no_line();
}

TEST(Drain, SurvivesTheDeathOfEveryWorkerAndAReload) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(9s, DrainRequested{true, "serval drain"});
  s.at(10s, killed(pid_of(0), SIGSEGV, "SIGSEGV"));
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), std::string(kDraining) + ", no worker serves");
  s.at(11s, forked(0));
  s.at(11s, ready(0));
  s.at(12s, ReloadRequested{"HUP", settings(1)});
  s.at(12s, MoldStarted{2, kMold + 1});
  s.at(13s, MoldLoaded{2});
  s.at(13s, forked(1));
  s.at(14s, ready(1));
  s.at(15s, exited(pid_of(0), 0));
  EXPECT_EQ(s.snapshot().generation, 2);
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), kDraining);
}

TEST(Drain, OfAServerThatBootsOrStopsSaysNothingNew) {
  Script s(settings(1));
  s.at(0s, Start{});
  s.at(0s, DrainRequested{true, "serval drain"});
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), "booting");
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, MoldLoaded{1});
  s.at(0s, forked(0));
  s.at(1s, ready(0));
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), kDraining);
  s.at(2s, StopRequested{"TERM"});
  s.at(2s, DrainRequested{false, "serval undrain"}).expect_no_line();
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), "stopping");
}

// --- pausing

TEST(Pause, IsThereWhenEveryWorkerHasSaidSo) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(1s, pause())
      .expect({"pause worker 0 as 1", "pause worker 1 as 1"})
      .expect_line({"info: pausing", "by=serval pause"});
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), kPaused);
  EXPECT_EQ(s.snapshot().in_progress, 2);
  s.at(2s, pause()).expect().expect_no_line();
  s.at(2s, WorkerPaused{1, 1}).expect().expect_no_line();
  EXPECT_EQ(s.snapshot().in_progress, 1);
  s.at(3s, WorkerPaused{0, 1}).expect().expect_line({"info: paused: no request is in progress", "after_ms=2000"});
  EXPECT_EQ(s.snapshot().in_progress, 0);
  EXPECT_TRUE(s.snapshot().paused);
  s.at(4s, resume())
      .expect({"resume worker 0", "resume worker 1"})
      .expect_line({"info: resumed", "by=serval resume", "paused_ms=3000"});
  EXPECT_FALSE(s.snapshot().paused);
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), "");
  s.at(5s, resume()).expect().expect_no_line();
  EXPECT_EQ(s.next_wakeup(), Clock::duration::max());
}

TEST(Pause, AWordOfAnEarlierOneDoesNotCount) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, pause());
  s.at(2s, resume());
  s.at(3s, pause()).expect({"pause worker 0 as 2"});
  s.at(4s, WorkerPaused{0, 1}).expect_no_line();
  EXPECT_EQ(s.snapshot().in_progress, 1);
  s.at(4s, WorkerPaused{7, 2});
  s.at(4s, WorkerPaused{-1, 2});
  s.at(5s, WorkerPaused{0, 2}).expect_line({"paused: no request"});
}

TEST(Pause, WhoIsForkedMeanwhileBeginsPaused) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, pause());
  s.at(9s, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect({"fork worker 0 in pause 1"});
  EXPECT_EQ(s.snapshot().in_progress, 0);
  s.at(9s, forked(0));
  s.at(9s, resume()).expect({"resume worker 0"});
  s.at(10s, ready(0));
  s.at(1h, killed(pid_of(0), SIGSEGV, "SIGSEGV")).expect({"fork worker 0"});
}

TEST(Pause, WhoBootsWhenItBeginsIsAskedToo) {
  Script s(settings(1));
  s.at(0s, Start{});
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, MoldLoaded{1}).expect({"fork worker 0"});
  s.at(0s, pause()).expect({"pause worker 0 as 1"});
  EXPECT_EQ(s.snapshot().in_progress, 0) << "there is no process yet, and its mold may take its time";
  s.at(0s, forked(0));
  EXPECT_EQ(s.snapshot().in_progress, 0) << "it has never served";
  s.at(1s, ready(0));
  EXPECT_EQ(s.snapshot().in_progress, 1) << "it may have been asked too late";
  s.at(1s, WorkerPaused{0, 1});
  EXPECT_EQ(s.snapshot().in_progress, 0);
}

TEST(Pause, WhoDrainsIsInProgressUntilItHasEnded) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, pause());
  s.at(1s, WorkerPaused{0, 1});
  s.at(2s, RecycleRequested{}).expect({"fork worker 1 in pause 1"});
  s.at(2s, forked(1));
  s.at(3s, ready(1)).expect({"drain worker 0"});
  EXPECT_EQ(s.snapshot().in_progress, 1);
  s.at(3s, pause()).expect();
  s.at(4s, exited(pid_of(0), 0));
  EXPECT_EQ(s.snapshot().in_progress, 0);
}

TEST(Pause, AStopEndsItFirst) {
  Script s(settings(2));
  s.booted_at(0s);
  s.at(1s, pause());
  s.at(2s, StopRequested{"TERM"})
      .expect({"notify STOPPING=1", "refuse", "resume worker 0", "resume worker 1", "stop worker 0", "stop worker 1",
               "stop mold 1"});
  EXPECT_FALSE(s.snapshot().paused);
  s.at(3s, pause()).expect();
  EXPECT_FALSE(s.snapshot().paused);
}

TEST(Pause, IsNotForgottenSilently) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, pause());
  s.at(2s, WorkerPaused{0, 1});
  EXPECT_EQ(s.next_wakeup(), 61s);
  s.at(61s, tick())
      .expect()
      .expect_line({"warning: still paused", "serval resume", "paused_ms=60000", "workers_in_progress=0"});
  EXPECT_EQ(s.next_wakeup(), 121s);
  s.at(62s, DrainRequested{true, "serval drain"});
  EXPECT_EQ(why_not_ready(s.snapshot().readiness), std::string(kDraining) + ", " + kPaused);
}

}  // namespace
}  // namespace serval::supervisor
