#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.hpp"

/// Whether new code answers worse than old code, from what both have answered in the same time. Pure.
namespace serval::supervisor {

/// What a generation has answered.
struct Figures {
  std::uint64_t requests = 0;              ///< answered or lost
  std::uint64_t errors = 0;                ///< of those: answers of 500 and above, and the lost ones
  std::vector<double> bounds{};            ///< of the durations' buckets, in seconds
  std::vector<std::uint64_t> durations{};  ///< by bucket; one more than bounds: what was longer
  double seconds = 0;                      ///< the sum of all durations
  std::vector<double> in_hand{};  ///< ages of requests that have been in progress for a second and longer, in seconds
  std::string unfit{};  ///< why it should not get more requests, whatever it has answered; empty: there is nothing
};

/// What has come since `before`; both are of the same generation. What is in hand for long counts as if it were
/// answered now: code that hangs answers nothing.
Figures growth(const Figures& now, const Figures& before);

/// Whether there are enough requests to call code good, or to compare other code with it.
bool is_telling(const Figures& figures);

/// That no more than this part of the requests, 0 to 1, took longer, in seconds. Within a bucket that most of them are
/// in, their mean tells where in it they are.
double quantile(const Figures& figures, double part);

/// How likely it is that so many or more of `ones`' requests are among the hits, if both have the same share of them:
/// given how many hits there are in all, they fall on either side as the requests do (binomial test).
double chance(std::uint64_t hits, std::uint64_t requests, std::uint64_t other_hits, std::uint64_t other_requests);

struct Verdict {
  enum class Kind { good, worse, too_few } kind = Kind::too_few;
  std::string why{};  ///< worse, with the figures; too_few likewise
};

/// `at_end`: the watch is over. Before, errors have to be beyond doubt, and durations are no reason: a machine's hiccup
/// passes, an error is an answer that somebody has got.
Verdict judge(const Figures& old, const Figures& fresh, const config::Reload& rules, bool at_end);

/// For people: "12 of 230 requests failed, 95th percentile 48.8ms".
std::string in_words(const Figures& figures);

}  // namespace serval::supervisor
