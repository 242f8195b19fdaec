#include "worker/duty.hpp"

#include "scoreboard/reader.hpp"

namespace serval::worker {

using namespace std::chrono_literals;

bool Duty::on(TimePoint now) {
  if (now - looked_ < 1ms) return on_;
  looked_ = now;
  return on_ = scoreboard::mostly_free_before(memory_, slot_, threads_, cpus_) < cpus_;
}

}  // namespace serval::worker
