#include "supervisor/trial.hpp"

#include <algorithm>

namespace serval::supervisor {
namespace {

constexpr auto kBetweenLooks = std::chrono::seconds(1);

}  // namespace

std::optional<Verdict> Trial::look(const Figures& old, const Figures& fresh, TimePoint now) {
  const bool at_end = now >= ends_ && old_before_;
  next_look_ = std::max(std::min(now + kBetweenLooks, ends_), now);
  if (!old_before_) {
    old_before_ = old;
    fresh_before_ = fresh;
    return std::nullopt;
  }
  Verdict verdict = judge(growth(old, *old_before_), growth(fresh, *fresh_before_), rules_, at_end);
  if (at_end || verdict.kind == Verdict::Kind::worse) return verdict;
  return std::nullopt;
}

}  // namespace serval::supervisor
