#pragma once

#include <bitset>
#include <string_view>

#include "base/result.hpp"

namespace serval::config {

/// Times as crontab(5) writes them.
struct Cron {
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> days;     ///< of the month, from 1
  std::bitset<13> months;   ///< from 1
  std::bitset<7> weekdays;  ///< from Sunday, 0
  bool any_day = true;      ///< the field begins with *
  bool any_weekday = true;  ///< likewise; if neither is so, one of the two is enough

  bool every_hour() const { return hours.all(); }
  bool operator==(const Cron&) const = default;
};

/// "*/5 3 * * mon-fri", "@daily". The error says what would be right; it is one too if that time never comes.
Result<Cron> parse_cron(std::string_view text);

}  // namespace serval::config
