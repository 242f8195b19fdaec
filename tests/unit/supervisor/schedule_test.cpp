#include "supervisor/schedule.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <random>
#include <vector>

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using config::Program;
using config::ProgramMissed;

/// Central Europe in 2026: summer from 29 March 01:00 UTC to 25 October 01:00 UTC.
constexpr std::int64_t kSpring = 1774746000;
constexpr std::int64_t kAutumn = 1792890000;
std::int64_t berlin(std::int64_t at) { return at >= kSpring && at < kAutumn ? 7200 : 3600; }

Program every(Duration interval, ProgramMissed missed = ProgramMissed::skip) {
  Program program;
  program.every = interval;
  program.missed = missed;
  return program;
}
Program cron(const std::string& when, ProgramMissed missed = ProgramMissed::skip) {
  Program program;
  program.cron = when;
  program.missed = missed;
  return program;
}

/// Two clocks and a schedule that is looked at whenever it says so, a little late.
class World {
 public:
  World(Program program, std::int64_t wall) : program_(std::move(program)), wall_(std::chrono::seconds(wall)) {
    begin_schedule(schedule_, program_, moment());
  }
  Moment moment() const { return {now_, wall_, berlin}; }
  void pass(Clock::duration time) {
    now_ += time;
    wall_ += std::chrono::duration_cast<WallTime::duration>(time);
  }
  /// Somebody sets the clock, or the machine has slept: it is looked at at once.
  Due set_clock_by(std::chrono::seconds by) {
    wall_ += by;
    return look();
  }
  Due look() {
    const Due due = take_due(schedule_, program_, moment());
    missed_ += due.missed;
    if (due.run) runs_.push_back(std::chrono::floor<std::chrono::seconds>(wall_.time_since_epoch()).count());
    return due;
  }
  /// Waits until it wants to be looked at, and looks so much later.
  Due wait(Clock::duration late = 1ms) {
    const TimePoint due = next_due(schedule_, program_, moment());
    EXPECT_GT(due, now_);
    pass(due - now_ + late);
    return look();
  }
  const std::vector<std::int64_t>& runs() const { return runs_; }
  std::int64_t missed() const { return missed_; }
  TimePoint now() const { return now_; }
  TimePoint next() const { return next_due(schedule_, program_, moment()); }
  ScheduleRecord& schedule() { return schedule_; }

 private:
  Program program_;
  ScheduleRecord schedule_;
  TimePoint now_{100s};
  WallTime wall_;
  std::vector<std::int64_t> runs_;
  std::int64_t missed_ = 0;
};

TEST(Schedule, TheFirstRunComesAfterOneInterval) {
  World world(every(5min), 0);
  EXPECT_FALSE(world.look().run);
  EXPECT_EQ(world.next() - world.now(), 5min);
  EXPECT_TRUE(world.wait().run);
  EXPECT_FALSE(world.look().run) << "once";
}

TEST(Schedule, EveryDoesNotDriftOverTenThousandRuns) {
  World world(every(1s), 0);
  std::mt19937 random(7);
  const TimePoint origin = world.now();
  for (int n = 1; n <= 10'000; ++n) {
    const auto late = std::chrono::microseconds(random() % 900'000);
    ASSERT_TRUE(world.wait(late).run) << n;
    ASSERT_EQ(world.now() - late, origin + n * 1s) << n;
  }
  EXPECT_EQ(world.missed(), 0);
}

TEST(Schedule, EveryDoesNotMindTheWallClock) {
  World world(every(1min), kSpring);
  EXPECT_FALSE(world.set_clock_by(24h).run);
  EXPECT_FALSE(world.set_clock_by(-48h).run);
  EXPECT_EQ(world.next() - world.now(), 1min);
}

TEST(Schedule, RunsThatWereDueTooLongAgoAreMissed) {
  World skip(every(5min), 0);
  skip.pass(17min);
  const Due due = skip.look();
  EXPECT_FALSE(due.run);
  EXPECT_EQ(due.missed, 3);
  EXPECT_EQ(skip.next() - skip.now(), 3min) << "the next one is where it was";

  World run(every(5min, ProgramMissed::run), 0);
  run.pass(17min);
  EXPECT_TRUE(run.look().run);
  EXPECT_EQ(run.missed(), 2) << "one for all of them";
  EXPECT_FALSE(run.look().run);

  World late(every(5min), 0);
  late.pass(15min + 9s);
  EXPECT_TRUE(late.look().run) << "the last one is hardly late";
  EXPECT_EQ(late.missed(), 2);
}

TEST(Schedule, CronComesAtItsTimes) {
  World world(cron("*/10 * * * *"), kSpring + 3 * 86400 + 60);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(world.wait().run);
  EXPECT_EQ(world.missed(), 0);
  for (std::size_t i = 0; i < world.runs().size(); ++i)
    ASSERT_EQ(world.runs()[i], kSpring + 3 * 86400 + 600 * (static_cast<std::int64_t>(i) + 1));
}

TEST(Schedule, CronThatIsWokenTooEarlyWaitsOn) {
  World world(cron("*/10 * * * *"), kSpring);
  EXPECT_FALSE(world.wait(-2ms).run) << "the wall clock goes more slowly than the other one";
  EXPECT_EQ(world.next() - world.now(), 2ms);
  EXPECT_TRUE(world.wait().run);
}

TEST(Schedule, AClockThatJumpsForwardMissesOrRunsOnce) {
  const std::int64_t start = kSpring + 10 * 86400 + 60;
  World skip(cron("0 * * * *"), start);
  const Due due = skip.set_clock_by(5h);
  EXPECT_FALSE(due.run);
  EXPECT_EQ(due.missed, 5);
  EXPECT_EQ(skip.next() - skip.now(), 59min);

  World run(cron("0 * * * *", ProgramMissed::run), start);
  EXPECT_TRUE(run.set_clock_by(5h).run);
  EXPECT_EQ(run.missed(), 4);
  EXPECT_FALSE(run.look().run);
  EXPECT_TRUE(run.wait().run);

  World far(cron("* * * * *"), start);
  EXPECT_NEAR(static_cast<double>(far.set_clock_by(24h * 3650).missed), 1000, 1) << "not each of five million";
  EXPECT_LE(far.next() - far.now(), 60s);
}

TEST(Schedule, AClockThatGoesBackALittleRunsNothingTwice) {
  World world(cron("0 * * * *"), kSpring + 10 * 86400 + 3000);
  ASSERT_TRUE(world.wait().run);
  EXPECT_FALSE(world.set_clock_by(-30min).run);
  EXPECT_TRUE(world.wait().run);
  ASSERT_EQ(world.runs().size(), 2u);
  EXPECT_EQ(world.runs()[1] - world.runs()[0], 3600);
}

TEST(Schedule, AClockThatHadBeenFarAheadIsCorrected) {
  World world(cron("0 * * * *"), kSpring + 10 * 86400 + 3000);
  EXPECT_FALSE(world.set_clock_by(-240h).run);
  EXPECT_LE(world.next() - world.now(), 1h) << "it does not wait for ten days";
  EXPECT_TRUE(world.wait().run);
}

TEST(Schedule, DaysOnWhichTheClocksAreChanged) {
  World spring(cron("30 2 * * *"), kSpring - 6 * 3600);
  ASSERT_TRUE(spring.wait().run);
  EXPECT_EQ(spring.runs()[0], kSpring) << "at the first moment after the gap";
  ASSERT_TRUE(spring.wait().run);
  EXPECT_EQ(spring.runs()[1], kSpring + 23 * 3600 + 1800);

  World autumn(cron("30 2 * * *"), kAutumn - 6 * 3600);
  ASSERT_TRUE(autumn.wait().run);
  EXPECT_EQ(autumn.runs()[0], kAutumn - 1800) << "the first time";
  ASSERT_TRUE(autumn.wait().run);
  EXPECT_EQ(autumn.runs()[1], kAutumn + 24 * 3600 - 1800 + 3600) << "and not the second";
  EXPECT_EQ(spring.missed() + autumn.missed(), 0);
}

/// Both clocks as the kernel has them: the steady one stands still meanwhile.
TEST(Schedule, AMachineThatSleepsMissesWhatCronSaysAndNotWhatEverySays) {
  World by_clock(cron("0 3 * * *"), kSpring + 86400);  // 03:00 there is 01:00 UTC, as now
  EXPECT_EQ(by_clock.set_clock_by(72h).missed, 2);
  World by_age(every(1h), kSpring);
  EXPECT_EQ(by_age.set_clock_by(72h).missed, 0);
  EXPECT_TRUE(by_age.wait().run);
}

/// Whatever somebody does to the clock: it is never looked at in vain for ever, and what comes is in order.
TEST(Schedule, SurvivesAnyClock) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    World world(
        cron(seed % 2 == 0 ? "*/7 * * * *" : "30 2 * * *", seed % 3 == 0 ? ProgramMissed::run : ProgramMissed::skip),
        kSpring - 86400);
    for (int i = 0; i < 100; ++i) {
      switch (random() % 4) {
        case 0: world.set_clock_by(std::chrono::seconds(static_cast<int>(random() % 20'000) - 10'000)); break;
        case 1:
          world.pass(std::chrono::seconds(random() % 5'000));
          world.look();
          break;
        default: world.wait(std::chrono::milliseconds(random() % 100)); break;
      }
      ASSERT_GT(world.next(), world.now()) << seed;
      ASSERT_LE(world.next() - world.now(), 24h + 4h + 1h) << seed;
    }
  }
}

TEST(Schedule, HasAnOriginThatOutlivesAnUpgrade) {
  World world(every(1min), 0);
  world.wait();
  const ScheduleRecord record = world.schedule();
  EXPECT_EQ(next_due(record, every(1min), world.moment()), world.next());
}

}  // namespace
}  // namespace serval::supervisor
