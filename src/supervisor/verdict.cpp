#include "supervisor/verdict.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "base/histogram.hpp"

namespace serval::supervisor {
namespace {

/// Fewer are not enough to call code good, or to compare other code with it.
constexpr std::uint64_t kFewestRequests = 50;

/// Enough to be blamed for what is beyond chance: the slower new code is, the fewer requests it answers.
constexpr std::uint64_t kFewestToBlame = 5;

/// Few errors are no reason, whatever their share.
constexpr std::uint64_t kFewestErrors = 5;

/// How likely it may be, at most, that a deploy is taken back for what is chance. While the watch goes on it is judged
/// over and over, each time with another chance to be wrong.
constexpr double kChanceAtEnd = 1e-4;
constexpr double kChanceBefore = 1e-6;
constexpr double kChanceOfSlow = 1e-5;
constexpr double kDeviations = 3;  ///< between means: the same in standard errors

constexpr double kTail = 0.95;
/// A smaller difference is one of caches and schedulers.
constexpr double kLeastSlower = 0.002;
/// Twice as slow is 1.98 times as slow, as clients and timers see it.
constexpr double kNearly = 0.95;

double lower(const Figures& figures, std::size_t bucket) { return bucket == 0 ? 0 : figures.bounds[bucket - 1]; }
double upper(const Figures& figures, std::size_t bucket) {
  return bucket < figures.bounds.size() ? figures.bounds[bucket] : 2 * lower(figures, bucket);
}

std::uint64_t count(const Figures& figures) {
  return std::accumulate(figures.durations.begin(), figures.durations.end(), std::uint64_t{0});
}

/// Of the requests in one bucket, if those in the others are in the middle of theirs.
double mean_in(const Figures& figures, std::size_t bucket) {
  double seconds = figures.seconds;
  for (std::size_t i = 0; i < figures.durations.size(); ++i) {
    if (i != bucket) seconds -= static_cast<double>(figures.durations[i]) * (lower(figures, i) + upper(figures, i)) / 2;
  }
  const double mean = seconds / static_cast<double>(figures.durations[bucket]);
  return std::clamp(mean, lower(figures, bucket), upper(figures, bucket));
}

std::uint64_t slower_than_bucket(const Figures& figures, std::size_t bucket) {
  return std::accumulate(figures.durations.begin() + static_cast<std::ptrdiff_t>(bucket), figures.durations.end(),
                         std::uint64_t{0});
}

struct Mean {
  double seconds = 0;
  double variance = 0;  ///< of the mean; each duration is taken for the end of its bucket that is farther off
};

Mean mean_of(const Figures& figures) {
  const auto all = static_cast<double>(count(figures));
  Mean mean{.seconds = figures.seconds / all};
  for (std::size_t i = 0; i < figures.durations.size(); ++i) {
    const double off = std::max(std::abs(upper(figures, i) - mean.seconds), std::abs(mean.seconds - lower(figures, i)));
    mean.variance += static_cast<double>(figures.durations[i]) * off * off / (all * all);
  }
  return mean;
}

/// A bucket's upper bound is twice its lower one, so the quantiles of two hardly different generations may be twice as
/// far apart as they look. So it takes one of these: `most` times as many requests in the tail that the quantile is in;
/// or a mean that is nearer to `most` times the old one than to the old one itself.
bool surely_slower(const Figures& old, const Figures& fresh, double most) {
  const std::size_t tail = quantile_place<std::uint64_t>(fresh.durations, kTail).bucket;
  const auto weighted = static_cast<std::uint64_t>(static_cast<double>(count(fresh)) * most);
  if (chance(slower_than_bucket(fresh, tail), weighted, slower_than_bucket(old, tail), count(old)) < kChanceOfSlow)
    return true;
  const Mean before = mean_of(old);
  const Mean after = mean_of(fresh);
  const double halfway = (1 + most) / 2;
  const double deviation = std::sqrt(halfway * halfway * before.variance + after.variance);
  return after.seconds - halfway * before.seconds > kDeviations * deviation;
}

bool is_slower(const Figures& old, const Figures& fresh, double most) {
  if (count(fresh) < kFewestToBlame) return false;
  const double before = quantile(old, kTail);
  const double after = quantile(fresh, kTail);
  return after >= kNearly * most * before && after - before >= kLeastSlower && surely_slower(old, fresh, most);
}

double share(const Figures& figures) {
  return static_cast<double>(figures.errors) / static_cast<double>(figures.requests);
}

bool fails_more(const Figures& old, const Figures& fresh, double most, double least_chance) {
  return fresh.errors >= kFewestErrors && share(fresh) > most * share(old) &&
         chance(fresh.errors, fresh.requests, old.errors, old.requests) < least_chance;
}

std::string shortest(double number) {
  char text[32];
  std::snprintf(text, sizeof text, number < 10 ? "%.2g" : "%.0f", number);
  return text;
}

std::string versus(const Figures& old, const Figures& fresh) {
  return "new: " + in_words(fresh) + "; old: " + in_words(old);
}

}  // namespace

Figures growth(const Figures& now, const Figures& before) {
  Figures result = now;
  result.requests = grown(now.requests, before.requests);
  result.errors = std::min(grown(now.errors, before.errors), result.requests);
  for (std::size_t i = 0; i < result.durations.size() && i < before.durations.size(); ++i)
    result.durations[i] = grown(now.durations[i], before.durations[i]);
  result.seconds = std::max(0.0, now.seconds - before.seconds);
  for (const double age : now.in_hand) {
    const auto bucket = std::ranges::lower_bound(result.bounds, age) - result.bounds.begin();
    if (static_cast<std::size_t>(bucket) >= result.durations.size()) continue;
    ++result.requests;
    ++result.durations[static_cast<std::size_t>(bucket)];
    result.seconds += age;
  }
  return result;
}

bool is_telling(const Figures& figures) { return figures.requests >= kFewestRequests; }

double quantile(const Figures& figures, double part) {
  if (count(figures) == 0) return 0;
  const QuantilePlace place = quantile_place<std::uint64_t>(figures.durations, part);
  double from = lower(figures, place.bucket);
  double to = upper(figures, place.bucket);
  if (2 * figures.durations[place.bucket] >= count(figures)) {
    const double mean = mean_in(figures, place.bucket);
    const double around = std::min(mean - from, to - mean);
    from = mean - around;
    to = mean + around;
  }
  return from + (to - from) * place.part;
}

double chance(std::uint64_t hits, std::uint64_t requests, std::uint64_t other_hits, std::uint64_t other_requests) {
  if (hits == 0 || requests == 0) return 1;
  if (other_requests == 0) return 1;
  const auto all = static_cast<double>(hits + other_hits);
  const double part = static_cast<double>(requests) / static_cast<double>(requests + other_requests);
  auto here = static_cast<double>(hits);
  if (here <= all * part) return 1;
  double term = std::exp(std::lgamma(all + 1) - std::lgamma(here + 1) - std::lgamma(all - here + 1) +
                         here * std::log(part) + (all - here) * std::log1p(-part));
  double sum = term;
  for (; here < all && term > sum * 1e-9; ++here) {
    term *= (all - here) / (here + 1) * part / (1 - part);
    sum += term;
  }
  return sum;
}

Verdict judge(const Figures& old, const Figures& fresh, const config::Reload& rules, bool at_end) {
  using Kind = Verdict::Kind;
  if (at_end && !fresh.unfit.empty() && old.unfit.empty())
    return {Kind::worse, fresh.unfit + " (" + versus(old, fresh) + ")"};
  const bool comparable = is_telling(old);
  if (comparable && fails_more(old, fresh, rules.max_error_ratio, at_end ? kChanceAtEnd : kChanceBefore)) {
    return {Kind::worse, "its requests fail more often than reload.max_error_ratio = " +
                             shortest(rules.max_error_ratio) + " allows (" + versus(old, fresh) + ")"};
  }
  if (comparable && at_end && is_slower(old, fresh, rules.max_latency_ratio)) {
    return {Kind::worse, "its requests take longer than reload.max_latency_ratio = " +
                             shortest(rules.max_latency_ratio) + " allows (" + versus(old, fresh) + ")"};
  }
  if (!comparable || !is_telling(fresh))
    return {Kind::too_few, "it takes " + std::to_string(kFewestRequests) + " of each (" + versus(old, fresh) + ")"};
  return {Kind::good, versus(old, fresh)};
}

std::string in_words(const Figures& figures) {
  std::string text = std::to_string(figures.errors) + " of " + std::to_string(figures.requests) + " requests failed";
  if (figures.requests > 0) text += " (" + shortest(100 * share(figures)) + "%)";
  if (count(figures) > 0) text += ", 95th percentile " + shortest(1000 * quantile(figures, kTail)) + "ms";
  return text;
}

}  // namespace serval::supervisor
