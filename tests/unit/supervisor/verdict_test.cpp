#include "supervisor/verdict.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "supervisor/trial.hpp"

// Whether a new generation is worse than the old one: what is found, and what is never taken for it.
namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using Kind = Verdict::Kind;

const std::vector<double> kBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                     0.25,   0.5,   1,      2.5,   5,    10,    30};

Figures none() { return {.bounds = kBounds, .durations = std::vector<std::uint64_t>(kBounds.size() + 1)}; }

void add(Figures& figures, double seconds, bool failed = false, std::uint64_t times = 1) {
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin();
  figures.requests += times;
  figures.errors += failed ? times : 0;
  figures.durations[static_cast<std::size_t>(bucket)] += times;
  figures.seconds += seconds * static_cast<double>(times);
}

Figures answers(std::uint64_t good, std::uint64_t failed, double seconds = 0.003) {
  Figures figures = none();
  add(figures, seconds, false, good);
  add(figures, seconds, true, failed);
  return figures;
}

TEST(Verdict, OfErrors) {
  struct Case {
    const char* what;
    Figures old, fresh;
    Kind at_end, before;
  };
  const Case cases[] = {
      {"none", answers(400, 0), answers(200, 0), Kind::good, Kind::good},
      {"a tenth of few requests", answers(400, 0), answers(180, 20), Kind::worse, Kind::worse},
      {"too few errors to count", answers(400, 0), answers(196, 4), Kind::good, Kind::good},
      {"enough at the end, not while there is time", answers(400, 0), answers(190, 9), Kind::worse, Kind::good},
      {"as many as before", answers(360, 40), answers(180, 20), Kind::good, Kind::good},
      {"less than twice as many", answers(9000, 1000), answers(8200, 1800), Kind::good, Kind::good},
      {"more than twice as many", answers(9000, 1000), answers(7800, 2200), Kind::worse, Kind::worse},
      {"fewer", answers(200, 200), answers(200, 0), Kind::good, Kind::good},
      {"all", answers(400, 0), answers(0, 100), Kind::worse, Kind::worse},
      {"too few requests of the new", answers(400, 0), answers(49, 0), Kind::too_few, Kind::too_few},
      {"few requests of the new, which all fail", answers(400, 0), answers(0, 10), Kind::worse, Kind::worse},
      {"few requests of the new, of which few fail", answers(400, 0), answers(20, 4), Kind::too_few, Kind::too_few},
      {"too few requests of the old", answers(49, 0), answers(0, 400), Kind::too_few, Kind::too_few},
      {"no requests", none(), none(), Kind::too_few, Kind::too_few},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(judge(one.old, one.fresh, {}, true).kind, one.at_end) << one.what;
    EXPECT_EQ(judge(one.old, one.fresh, {}, false).kind, one.before) << one.what;
  }
}

TEST(Verdict, OfDurations) {
  struct Case {
    const char* what;
    double old, fresh;
    Kind kind;
  };
  const Case cases[] = {
      {"the same", 0.0201, 0.0201, Kind::good},
      {"twice as slow, in the next bucket", 0.0201, 0.0402, Kind::worse},
      {"twice as slow, in the same bucket", 0.0102, 0.0204, Kind::worse},
      {"twice as slow, two buckets on", 0.0501, 0.1003, Kind::worse},
      {"half as slow again, over a bound", 0.0201, 0.0301, Kind::good},
      {"faster", 0.0402, 0.0201, Kind::good},
      {"twice as slow, and still fast", 0.0004, 0.0008, Kind::good},
      {"longer than all bounds", 1, 40, Kind::worse},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(judge(answers(400, 0, one.old), answers(200, 0, one.fresh), {}, true).kind, one.kind) << one.what;
    EXPECT_EQ(judge(answers(400, 0, one.old), answers(200, 0, one.fresh), {}, false).kind, Kind::good) << one.what;
  }
}

TEST(Verdict, ASlowRequestOrTwoAreNoTail) {
  Figures fresh = answers(198, 0, 0.01);
  add(fresh, 20, false, 2);
  EXPECT_EQ(judge(answers(400, 0, 0.01), fresh, {}, true).kind, Kind::good);
}

TEST(Verdict, CodeThatHangsAnswersLittleAndIsBlamedForIt) {
  Figures fresh = answers(5, 0, 0.005);
  fresh.in_hand = {4.4, 4.4, 4.3, 4.2};
  const Figures since = growth(fresh, answers(0, 0));
  EXPECT_EQ(since.requests, 9U);
  EXPECT_NEAR(since.seconds, 5 * 0.005 + 17.3, 1e-9);
  EXPECT_EQ(judge(answers(7508, 0, 0.005), since, {}, true).kind, Kind::worse);
  EXPECT_EQ(judge(answers(7508, 0, 0.005), since, {}, false).kind, Kind::too_few) << "it may come back";
  EXPECT_EQ(judge(answers(405, 0, 0.02), answers(33, 0, 1.2), {}, true).kind, Kind::worse);
  fresh.in_hand = {40, 1e300};
  EXPECT_EQ(growth(fresh, none()).durations.back(), 2U);
}

TEST(Verdict, WhatTheWorkersSayCountsUnlessAllSayIt) {
  Figures old = answers(400, 0);
  Figures fresh = answers(200, 0);
  fresh.unfit = "its app's ready() says no";
  EXPECT_EQ(judge(old, fresh, {}, false).kind, Kind::good) << "it may change its mind";
  const Verdict verdict = judge(old, fresh, {}, true);
  EXPECT_EQ(verdict.kind, Kind::worse);
  EXPECT_THAT(verdict.why, HasSubstr("its app's ready() says no (new: 0 of 200"));
  old.unfit = fresh.unfit;
  EXPECT_EQ(judge(old, fresh, {}, true).kind, Kind::good);
  EXPECT_EQ(judge(none(), none(), {}, true).kind, Kind::too_few);
}

TEST(Verdict, RatiosAreTheUsers) {
  config::Reload patient;
  patient.max_error_ratio = 30;
  patient.max_latency_ratio = 30;
  EXPECT_EQ(judge(answers(396, 4), answers(180, 20), patient, true).kind, Kind::good);
  EXPECT_EQ(judge(answers(400, 0, 0.02), answers(200, 0, 0.2), patient, true).kind, Kind::good);
  config::Reload strict;
  strict.max_latency_ratio = 1.2;
  EXPECT_EQ(judge(answers(400, 0, 0.02), answers(200, 0, 0.03), strict, true).kind, Kind::worse);
}

TEST(Verdict, SaysTheFigures) {
  EXPECT_THAT(judge(answers(400, 0), answers(180, 20), {}, true).why,
              AllOf(HasSubstr("reload.max_error_ratio = 2"), HasSubstr("new: 20 of 200 requests failed (10%)"),
                    HasSubstr("old: 0 of 400 requests failed (0%)")));
  EXPECT_THAT(judge(answers(400, 0, 0.02), answers(200, 0, 0.2), {}, true).why,
              AllOf(HasSubstr("reload.max_latency_ratio = 2"), HasSubstr("95th percentile 2"), HasSubstr("ms")));
}

TEST(Verdict, ChanceIsThatOfABinomialTest) {
  EXPECT_NEAR(chance(3, 100, 0, 100), 0.125, 1e-9);
  EXPECT_NEAR(chance(2, 100, 1, 100), 0.5, 1e-9);
  EXPECT_NEAR(chance(4, 100, 1, 100), 6.0 / 32, 1e-9);
  EXPECT_EQ(chance(0, 100, 5, 100), 1);
  EXPECT_EQ(chance(5, 100, 0, 0), 1);
  EXPECT_LT(chance(2'000'000, 10'000'000, 1'000'000, 10'000'000), 1e-100);
  EXPECT_GT(chance(1'000'500, 10'000'000, 1'000'000, 10'000'000), 0.1);
}

TEST(Verdict, GrowthIsWhatHasComeSince) {
  const Figures now = answers(500, 10);
  const Figures since = growth(now, answers(400, 4));
  EXPECT_EQ(since.requests, 106U);
  EXPECT_EQ(since.errors, 6U);
  EXPECT_EQ(since.durations[3], 106U);
  EXPECT_EQ(growth(answers(1, 0), now).requests, 0U) << "somebody has scribbled there";
}

// --- watches of half a minute over random requests

/// What a request takes and whether it fails, from a generator.
using App = std::function<std::pair<double, bool>(std::mt19937&)>;

App app(double milliseconds, double spread, double errors) {
  return [=](std::mt19937& random) {
    std::lognormal_distribution<double> duration(std::log(milliseconds / 1000), spread);
    return std::pair(duration(random), std::bernoulli_distribution(errors)(random));
  };
}

/// Seven new requests a second, and twice as many old ones: about 200 until the end.
bool is_rolled_back(const App& old_app, const App& fresh_app, unsigned seed) {
  std::mt19937 random(seed);
  config::Reload rules;
  rules.watch = 30s;
  Trial trial(rules, TimePoint{});
  Figures old = answers(1000, 3);
  Figures fresh = answers(5, 0);
  for (TimePoint now{};; now = trial.next()) {
    trial.asked();
    if (const auto verdict = trial.look(old, fresh, now)) return verdict->kind == Kind::worse;
    for (int i = 0; i < 14; ++i) std::apply([&](double took, bool failed) { add(old, took, failed); }, old_app(random));
    for (int i = 0; i < 7; ++i)
      std::apply([&](double took, bool failed) { add(fresh, took, failed); }, fresh_app(random));
  }
}

int rolled_back(const App& old_app, const App& fresh_app) {
  int count = 0;
  for (unsigned seed = 0; seed < 1000; ++seed) count += is_rolled_back(old_app, fresh_app, seed) ? 1 : 0;
  return count;
}

TEST(VerdictSimulation, AGoodDeployIsNeverRolledBack) {
  for (const double spread : {0.05, 1.0}) {
    for (const double errors : {0.0, 0.1}) {
      for (const double milliseconds : {0.4, 9.0, 24.0}) {
        const App same = app(milliseconds, spread, errors);
        EXPECT_EQ(rolled_back(same, same), 0) << spread << " " << errors << " " << milliseconds;
      }
    }
  }
}

/// As on a machine whose CPUs are taken by others now and then.
App held_up(double milliseconds, double part, double by_milliseconds) {
  return [=](std::mt19937& random) {
    std::lognormal_distribution<double> duration(std::log(milliseconds / 1000), 0.1);
    const bool held = std::bernoulli_distribution(part)(random);
    return std::pair(duration(random) + (held ? by_milliseconds / 1000 : 0), false);
  };
}

TEST(VerdictSimulation, AGoodDeployThatGetsABitLessOfABusyMachineIsNotRolledBack) {
  EXPECT_EQ(rolled_back(held_up(5.3, 0.045, 25), held_up(5.3, 0.08, 25)), 0);
  EXPECT_EQ(rolled_back(app(9, 1.0, 0), app(11.7, 1.0, 0)), 0);
  EXPECT_EQ(rolled_back(app(24, 0.05, 0), app(31, 0.05, 0)), 0);
}

TEST(VerdictSimulation, ATenthOfErrorsIsFound) {
  EXPECT_GE(rolled_back(app(9, 0.5, 0), app(9, 0.5, 0.1)), 999);
  EXPECT_GE(rolled_back(app(9, 0.5, 0.001), app(9, 0.5, 0.1)), 990);
}

TEST(VerdictSimulation, TwiceAsSlowIsFound) {
  EXPECT_GE(rolled_back(app(10.2, 0.02, 0), app(20.4, 0.02, 0)), 990);
  EXPECT_GE(rolled_back(app(20.2, 0.02, 0), app(40.4, 0.02, 0)), 990);
  EXPECT_GE(rolled_back(app(20.2, 0.3, 0), app(40.4, 0.3, 0)), 900);
  EXPECT_GE(rolled_back(held_up(5.3, 0, 0), held_up(5.3, 0.2, 100)), 990) << "in its tail";
}

}  // namespace
}  // namespace serval::supervisor
