#include "worker/duty.hpp"

#include "scoreboard/reader.hpp"

namespace serval::worker {

using namespace std::chrono_literals;

bool Duty::on(TimePoint now) {
  if (now - looked_ < 1ms) return on_;
  looked_ = now;
  const scoreboard::Company before = scoreboard::company(memory_, {.end = slot_, .enough = cpus_ + 1}, threads_, now);
  sibling_ = before.first;
  far_ = before.at_ease > cpus_;
  return on_ = before.at_ease == 0 && before.strained < cpus_;
}

std::uint64_t Duty::done_by_sibling() const { return sibling_ < 0 ? 0 : scoreboard::accepted(memory_, sibling_); }

bool Duty::can_share(TimePoint now) const {
  const int all = memory_.size().slots;
  const scoreboard::Company others = scoreboard::company(memory_, {.end = all, .but = slot_, .enough = all}, threads_, now);
  return others.at_ease > 0 && others.strained + 1 < cpus_;
}

}  // namespace serval::worker
