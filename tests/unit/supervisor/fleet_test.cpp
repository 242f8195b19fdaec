#include "fleet.hpp"

#include <gmock/gmock.h>

#include "base/sanitizers.hpp"

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

Settings settings(int workers, unsigned seed) {
  Settings result;
  result.workers = workers;
  result.seed = seed;
  result.limits.boot_timeout = 5s;
  result.limits.heartbeat_timeout = 2s;
  result.limits.max_recycling = 20;
  result.memory.soft = 100;
  result.memory.interval = 500ms;
  result.memory.samples = 2;
  result.grace = 3s;
  result.restart.backoff_max = 400ms;
  result.forks_per_second = 2000;
  return result;
}

TEST(Fleet, AThousandWorkersLiveThroughTenThousandFaults) {
  constexpr int kSlowness = kShadowMemory ? 5 : 1;  // a sanitizer finds no more in more of them
  constexpr int kFaults = 10'000 / kSlowness;
  Fleet fleet(settings(1000 / kSlowness, 1), 1);
  fleet.run(kFaults);
  EXPECT_THAT(fleet.broken_promises(), IsEmpty());
  for (const Fleet::Fault fault : Fleet::kAllFaults)
    EXPECT_GT(fleet.suffered(fault), kFaults / 20) << static_cast<int>(fault);
  for (const Cause cause : {Cause::crash, Cause::boot_failed, Cause::request_timeout, Cause::heartbeat_timeout,
                            Cause::memory_soft, Cause::max_requests}) {
    EXPECT_GT(fleet.snapshot().ended.at(cause), unsigned{kFaults} / 200) << name_of(cause);
  }
}

TEST(Fleet, SmallOnesToo) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    Settings small = settings(1 + static_cast<int>(seed % 9), seed);
    small.limits.max_recycling = 1 + static_cast<int>(seed % 3);
    Fleet fleet(small, seed);
    fleet.run(200);
    EXPECT_THAT(fleet.broken_promises(), IsEmpty()) << "seed " << seed;
  }
}

struct Planted {
  Fleet::Bug bug;
  std::vector<Fleet::Fault> faults;  ///< that bring it to light
  const char* promise;
};

TEST(Fleet, ABugInThePolicyIsSeen) {
  using Fault = Fleet::Fault;
  const Planted table[] = {
      {Fleet::Bug::takes_forked_for_ready, {Fault::spent}, "never below capacity"},
      {Fleet::Bug::replaces_too_many, {Fault::spent}, "never more than max_recycling"},
      {Fleet::Bug::forgets_a_fork, {Fault::killed}, "never below capacity"},
      {Fleet::Bug::loses_its_timer, {Fault::stopped}, "in the end everything is as it was"},
      {Fleet::Bug::forgets_who_is_stuck, {Fault::stuck}, "who is stuck is going to be replaced"},
      {Fleet::Bug::overhears_who_left, {Fault::spent}, "who has said that he has left is believed"},
  };
  for (const auto& [bug, faults, promise] : table) {
    Settings strict = settings(50, 7);
    strict.limits.max_recycling = 2;
    Fleet fleet(strict, 7, bug, faults);
    fleet.run(1000);
    EXPECT_THAT(fleet.broken_promises(), Contains(HasSubstr(promise))) << static_cast<int>(bug);
    Fleet healthy(strict, 7, Fleet::Bug::none, faults);
    healthy.run(1000);
    EXPECT_THAT(healthy.broken_promises(), IsEmpty()) << static_cast<int>(bug);
  }
}

}  // namespace
}  // namespace serval::supervisor
