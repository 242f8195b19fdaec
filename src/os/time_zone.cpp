#include "os/time_zone.hpp"

#include <ctime>

namespace serval::os {

std::int64_t offset_at(std::int64_t moment) {
  const auto time = static_cast<std::time_t>(moment);
  std::tm local = {};
  return ::localtime_r(&time, &local) == nullptr ? 0 : local.tm_gmtoff;
}

}  // namespace serval::os
