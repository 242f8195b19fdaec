#include <gmock/gmock.h>

#include <csignal>

#include "script.hpp"

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

constexpr const char* kDraining = "draining (serval drain)";

// --- whether it is ready for traffic

TEST(Drain, IsNotReadyUntilItIsTakenBackAndServesOn) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(1s, DrainRequested{true, "serval drain"}).expect().expect_line({"info: draining", "by=serval drain"});
  EXPECT_EQ(s.snapshot().unready, kDraining);
  EXPECT_EQ(s.states(), "serving");
  s.at(2s, DrainRequested{true, "serval drain"}).expect().expect_no_line();
  s.at(3s, DrainRequested{false, "serval undrain"}).expect().expect_line({"info: draining no more"});
  EXPECT_EQ(s.snapshot().unready, "");
  s.at(4s, DrainRequested{false, "serval undrain"}).expect().expect_no_line();
}

TEST(Drain, SurvivesTheDeathOfEveryWorkerAndAReload) {
  Script s(settings(1));
  s.booted_at(0s);
  s.at(9s, DrainRequested{true, "serval drain"});
  s.at(10s, killed(pid_of(0), SIGSEGV, "SIGSEGV"));
  EXPECT_EQ(s.snapshot().unready, kDraining);
  s.at(11s, forked(0));
  s.at(11s, ready(0));
  s.at(12s, ReloadRequested{"HUP", settings(1)});
  s.at(12s, MoldStarted{2, kMold + 1});
  s.at(13s, MoldLoaded{2});
  s.at(13s, forked(1));
  s.at(14s, ready(1));
  s.at(15s, exited(pid_of(0), 0));
  EXPECT_EQ(s.snapshot().generation, 2);
  EXPECT_EQ(s.snapshot().unready, kDraining);
}

TEST(Drain, OfAServerThatBootsOrStopsSaysNothingNew) {
  Script s(settings(1));
  s.at(0s, Start{});
  s.at(0s, DrainRequested{true, "serval drain"});
  EXPECT_EQ(s.snapshot().unready, "booting");
  s.at(0s, MoldStarted{1, kMold});
  s.at(0s, MoldLoaded{1});
  s.at(0s, forked(0));
  s.at(1s, ready(0));
  EXPECT_EQ(s.snapshot().unready, kDraining);
  s.at(2s, StopRequested{"TERM"});
  s.at(2s, DrainRequested{false, "serval undrain"}).expect_no_line();
  EXPECT_EQ(s.snapshot().unready, "stopping");
}

}  // namespace
}  // namespace serval::supervisor
