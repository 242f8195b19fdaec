#include "supervisor/heart.hpp"

#include <algorithm>

namespace serval::supervisor {
namespace {

using namespace std::chrono_literals;

/// Between two looks at a loop that should have said something. With kSureAfter looks the end comes well within a
/// second.
constexpr auto kSoon = 250ms;
/// A sleeping loop may be about to be woken by its timer, once.
constexpr int kSureAfter = 2;
/// A loop that got so much CPU without finishing one turn will not finish it.
constexpr auto kSpun = 1s;

}  // namespace

void Heart::start(TimePoint now, Duration timeout) {
  *this = Heart();
  timeout_ = timeout;
  heard_ = now;
  if (timeout > Duration::zero()) next_look_ = now + timeout;
}

void Heart::forgive(TimePoint now) {
  if (timeout_ > Duration::zero()) start(now, timeout_);
}

void Heart::postpone(TimePoint now) {
  if (next_look_ <= now) next_look_ = now + kSoon;
}

Heart::Verdict Heart::judge(const Pulse& pulse, TimePoint now) {
  if (timeout_ == Duration::zero()) return Verdict::beats;
  if (pulse.beat > heard_) {
    heard_ = std::min(pulse.beat, now);  // it is written by the worker: nothing keeps it from writing next year
    silent_looks_ = asleep_looks_ = 0;
  }
  if (now - heard_ < timeout_) {
    next_look_ = heard_ + timeout_;
    return Verdict::beats;
  }
  next_look_ = now + kSoon;
  return suspect(pulse);
}

Heart::Verdict Heart::suspect(const Pulse& pulse) {
  if (silent_looks_++ == 0) cpu_first_ = pulse.cpu;
  const bool ran = silent_looks_ > 1 && pulse.cpu != cpu_last_;
  cpu_last_ = pulse.cpu;
  switch (pulse.state) {
    case 't': return Verdict::held_up;  // a debugger has it
    case 'R':                           // it has a CPU or waits for one
      asleep_looks_ = 0;
      return pulse.cpu - cpu_first_ >= kSpun ? Verdict::hung : Verdict::held_up;
    default:  // waits for something (S, D, T: for a signal), or there is no such thread any more
      asleep_looks_ = ran ? 1 : asleep_looks_ + 1;
      return asleep_looks_ >= kSureAfter ? Verdict::hung : Verdict::held_up;
  }
}

}  // namespace serval::supervisor
