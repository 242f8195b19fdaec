#include "config/cron_times.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace serval::config {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
/// There may be eight years between two leap days (1896 and 1904).
constexpr int kMostDays = 9 * 366;
/// By which the clocks of a time zone are put back at once.
constexpr std::int64_t kMostPutBack = 4 * kHour;

/// Civil time is counted as seconds since 1970 by the clocks of the time zone.
std::int64_t civil(std::int64_t moment, OffsetAt offset_at) { return moment + offset_at(moment); }

/// Where the offset changes between the two, the first moment with the later one.
std::int64_t change_between(std::int64_t before, std::int64_t after, OffsetAt offset_at) {
  const std::int64_t old = offset_at(before);
  while (after - before > 1) {
    const std::int64_t middle = before + (after - before) / 2;
    (offset_at(middle) == old ? before : after) = middle;
  }
  return after;
}

/// When the clocks show that time: once, twice, or never; then the end of the gap that it lies in.
struct Moments {
  std::int64_t first;
  std::int64_t second;
};
Moments moments_of(std::int64_t time, OffsetAt offset_at) {
  const std::int64_t by_old = time - offset_at(time - kDay);
  const std::int64_t by_new = time - offset_at(time + kDay);
  const bool old_is_right = civil(by_old, offset_at) == time;
  const bool new_is_right = civil(by_new, offset_at) == time;
  if (old_is_right && new_is_right) return {std::min(by_old, by_new), std::max(by_old, by_new)};
  if (old_is_right) return {by_old, by_old};
  if (new_is_right) return {by_new, by_new};
  const std::int64_t end = change_between(std::min(by_old, by_new), std::max(by_old, by_new), offset_at);
  return {end, end};
}

bool is_on(const Cron& cron, std::chrono::year_month_day date, std::chrono::weekday weekday) {
  if (!cron.months.test(static_cast<unsigned>(date.month()))) return false;
  const bool day = cron.days.test(static_cast<unsigned>(date.day()));
  const bool of_week = cron.weekdays.test(weekday.c_encoding());
  return (cron.any_day || cron.any_weekday) ? (day && of_week) : (day || of_week);
}

/// The first moment after `after` of the day that begins at `midnight`. Where the clocks are changed, the order of
/// civil times is not that of the moments.
std::optional<std::int64_t> next_on_day(const Cron& cron, std::int64_t midnight, std::int64_t after,
                                        OffsetAt offset_at) {
  const bool changes = offset_at(midnight - kDay) != offset_at(midnight + 2 * kDay);
  const std::int64_t seen = civil(after, offset_at);
  std::optional<std::int64_t> best;
  for (std::size_t hour = 0; hour < cron.hours.size(); ++hour) {
    if (!cron.hours.test(hour)) continue;
    for (std::size_t minute = 0; minute < cron.minutes.size(); ++minute) {
      if (!cron.minutes.test(minute)) continue;
      const std::int64_t time =
          midnight + static_cast<std::int64_t>(hour) * kHour + static_cast<std::int64_t>(minute) * kMinute;
      if (time + kMostPutBack < seen) continue;
      const Moments moments = moments_of(time, offset_at);
      for (const std::int64_t moment : {moments.first, cron.every_hour() ? moments.second : moments.first}) {
        if (moment > after && (!best || moment < *best)) best = moment;
      }
      if (best && !changes) return best;
    }
  }
  return best;
}

}  // namespace

std::int64_t no_offset(std::int64_t) { return 0; }

std::optional<std::int64_t> next_after(const Cron& cron, std::int64_t after, OffsetAt offset_at) {
  using std::chrono::seconds;
  // From the day before: clocks may be put back over midnight.
  sys_days day = std::chrono::floor<days>(std::chrono::sys_seconds(seconds(civil(after, offset_at) - kMostPutBack)));
  for (int i = 0; i < kMostDays; ++i, day += days(1)) {
    if (!is_on(cron, day, std::chrono::weekday(day))) continue;
    const std::int64_t midnight = std::chrono::duration_cast<seconds>(day.time_since_epoch()).count();
    if (const auto found = next_on_day(cron, midnight, after, offset_at)) return found;
  }
  return {};
}

std::string format_moment(std::int64_t moment, OffsetAt offset_at) {
  using std::chrono::seconds;
  const std::int64_t offset = offset_at(moment);
  const std::chrono::sys_seconds local{seconds(moment + offset)};
  const auto day = std::chrono::floor<days>(local);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(local - day);
  const long ahead = static_cast<long>(std::abs(offset) / kMinute);
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02ld:%02ld:%02ld %c%02ld:%02ld",
                                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                                 static_cast<unsigned>(date.day()), static_cast<long>(time.hours().count()),
                                 static_cast<long>(time.minutes().count()), static_cast<long>(time.seconds().count()),
                                 offset < 0 ? '-' : '+', ahead / 60, ahead % 60);
  return {text.data(), static_cast<std::size_t>(std::max(size, 0))};
}

}  // namespace serval::config
