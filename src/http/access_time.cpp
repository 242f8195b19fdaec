#include "http/access_time.hpp"

#include <cstring>

namespace serval::http {

using std::chrono::system_clock;

const Second& second_of(system_clock::time_point when) {
  thread_local Second second;
  const std::time_t now = system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(when));
  if (now == second.since_epoch) return second;
  constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  localtime_r(&now, &parts);
  // The month's name does not follow the locale, which belongs to the app; numbers do not depend on it.
  second.local_size = std::strftime(second.local.data(), second.local.size(), "%d/Mon/%Y:%H:%M:%S %z", &parts);
  std::memcpy(second.local.data() + 3, months[parts.tm_mon], 3);
  gmtime_r(&now, &parts);
  second.utc_size = std::strftime(second.utc.data(), second.utc.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  second.since_epoch = now;
  return second;
}

}  // namespace serval::http
