#include "supervisor/generation_states.hpp"

#include <gmock/gmock.h>

#include "script.hpp"

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr pid_t kNewMold = 51;

TimePoint at(Clock::duration time) { return TimePoint{} + time; }

TEST(GenerationStates, AGenerationLoadsServesAndRetires) {
  Script s(settings(1));
  s.booted_at(1s);
  EXPECT_THAT(s.snapshot().generations, ElementsAre(GenerationLife{1, GenerationState::serving, at(1s)}));
  s.at(10s, ReloadRequested{"HUP", {}});
  s.at(10s, MoldStarted{2, kNewMold});
  s.at(11s, MoldLoaded{2});
  s.at(11s, forked(1));
  EXPECT_THAT(s.snapshot().generations, ElementsAre(GenerationLife{1, GenerationState::serving, at(1s)},
                                                    GenerationLife{2, GenerationState::loading, at(10s)}));
  s.at(12s, ready(1));
  EXPECT_THAT(s.snapshot().generations, ElementsAre(GenerationLife{1, GenerationState::retiring, at(1s)},
                                                    GenerationLife{2, GenerationState::serving, at(10s)}));
  s.at(12s, left(0));
  s.at(13s, exited(kMold, 0));
  s.at(14s, exited(pid_of(0), 0));
  EXPECT_THAT(s.snapshot().generations, ElementsAre(GenerationLife{2, GenerationState::serving, at(10s)}));
}

TEST(GenerationStates, AMoldThatIsStartedAgainDoesNotMakeItsGenerationYounger) {
  Script s(settings(1));
  s.booted_at(1s);
  s.at(20s, killed(kMold, 9, "SIGKILL"));
  s.at(21s, tick());
  s.at(22s, tick());
  EXPECT_THAT(s.snapshot().generations, ElementsAre(GenerationLife{1, GenerationState::serving, at(1s)}));
}

}  // namespace
}  // namespace serval::supervisor
