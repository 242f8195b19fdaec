#pragma once

#include <optional>

#include "base/time.hpp"
#include "config/config.hpp"
#include "supervisor/verdict.hpp"

namespace serval::supervisor {

/// A watch over the first workers of a new generation (reload.watch): when to look at the figures, and what they say.
class Trial {
 public:
  Trial(const config::Reload& rules, TimePoint now) : rules_(rules), next_look_(now), ends_(now + rules.watch) {}

  /// When the figures are to be asked for; max(): they are on their way.
  TimePoint next() const { return next_look_; }
  TimePoint ends() const { return ends_; }
  void asked() { next_look_ = TimePoint::max(); }
  /// All that either generation has answered until now. None: the watch goes on.
  std::optional<Verdict> look(const Figures& old, const Figures& fresh, TimePoint now);

 private:
  config::Reload rules_;
  TimePoint next_look_;
  TimePoint ends_;
  std::optional<Figures> old_before_;  ///< at the beginning
  std::optional<Figures> fresh_before_;
};

}  // namespace serval::supervisor
