#include "worker/flood_line.hpp"

namespace serval::worker {

void FloodLine::add(std::uint64_t count) {
  if (const std::uint64_t due = flood_.add(Clock::now(), count); due > 0) return say(due);
  arm();
}

void FloodLine::say(std::uint64_t count) {
  if (say_(count)) return;
  flood_.give_back(count);
  arm();
}

void FloodLine::finish() {
  if (const std::uint64_t rest = flood_.rest(); rest > 0 && !say_(rest)) flood_.give_back(rest);
}

/// Armed only while something is unsaid: an idle worker sleeps.
void FloodLine::arm() {
  if (armed_) return;
  armed_ = true;
  timer_.expires_at(flood_.next());
  timer_.async_wait([this](const boost::system::error_code& error) {
    armed_ = false;
    if (error) return;
    if (const std::uint64_t due = flood_.due(Clock::now()); due > 0) return say(due);
    if (flood_.next() != TimePoint::max()) arm();
  });
}

}  // namespace serval::worker
