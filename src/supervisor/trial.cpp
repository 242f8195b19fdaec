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
  // New code that hangs keeps clients from asking the old one: then that is judged by all that it has answered.
  Figures of_old = growth(old, *old_before_);
  if (at_end && !is_telling(of_old)) of_old = growth(old, {});
  Verdict verdict = judge(of_old, growth(fresh, *fresh_before_), rules_, at_end);
  if (at_end || verdict.kind == Verdict::Kind::worse) return verdict;
  return std::nullopt;
}

}  // namespace serval::supervisor
