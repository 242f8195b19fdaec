#include "config/cron.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <vector>

#include "config/cron_times.hpp"

namespace serval::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;

std::int64_t moment(int year, unsigned month, unsigned day, int hour, int minute, int second = 0) {
  const std::chrono::sys_days date{std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day}};
  return date.time_since_epoch().count() * kDay + hour * kHour + minute * 60 + second;
}

/// Central Europe in 2026: summer from 29 March 01:00 UTC to 25 October 01:00 UTC.
std::int64_t berlin(std::int64_t at) {
  return at >= moment(2026, 3, 29, 1, 0) && at < moment(2026, 10, 25, 1, 0) ? 2 * kHour : kHour;
}
/// Its clocks go by half hours; Lord Howe changes by half an hour.
std::int64_t lord_howe(std::int64_t at) { return at < moment(2026, 4, 4, 15, 0) ? 11 * kHour : 10 * kHour + kHour / 2; }
std::int64_t new_york_winter(std::int64_t) { return -5 * kHour; }

/// The next times, as the clocks there show them.
std::vector<std::string> times(const std::string& cron, std::int64_t after, OffsetAt offset_at, int number = 3) {
  std::vector<std::string> result;
  const auto parsed = parse_cron(cron);
  EXPECT_TRUE(parsed) << cron;
  std::optional<std::int64_t> at = after;
  for (int i = 0; parsed && i < number; ++i) {
    at = next_after(*parsed, *at, offset_at);
    if (!at) break;
    result.push_back(format_moment(*at, offset_at));
  }
  return result;
}

TEST(Cron, FieldsSayWhen) {
  const std::int64_t now = moment(2026, 11, 28, 14, 0, 30);  // a Saturday
  const auto next = [&](const std::string& cron) { return times(cron, now, no_offset, 1).at(0).substr(0, 16); };
  const std::vector<std::pair<std::string, std::string>> table = {
      {"* * * * *", "2026-11-28 14:01"},        {"*/5 * * * *", "2026-11-28 14:05"},
      {"0 * * * *", "2026-11-28 15:00"},        {"*/5 3 * * mon-fri", "2026-11-30 03:00"},
      {"30 14 * * *", "2026-11-28 14:30"},      {"0 14 * * *", "2026-11-29 14:00"},
      {"0 0 1 * *", "2026-12-01 00:00"},        {"15,45 9-17/4 * * *", "2026-11-28 17:15"},
      {"10/20 * * * *", "2026-11-28 14:10"},    {"0 0 * jan,JUL *", "2027-01-01 00:00"},
      {"0 0 29 2 *", "2028-02-29 00:00"},       {"0 0 * * 7", "2026-11-29 00:00"},
      {"0 0 * * 0", "2026-11-29 00:00"},        {"0 0 * * SUN", "2026-11-29 00:00"},
      {"0 0 * * fri-sun", "2026-11-29 00:00"},  {"0 0 13 * fri", "2026-12-04 00:00"},
      {"0 0 */2 * tue", "2026-12-01 00:00"},    {"@hourly", "2026-11-28 15:00"},
      {"@daily", "2026-11-29 00:00"},           {"@weekly", "2026-11-29 00:00"},
      {"@monthly", "2026-12-01 00:00"},         {"@yearly", "2027-01-01 00:00"},
      {"  0\t12  * * *  ", "2026-11-29 12:00"}, {"59 23 31 12 *", "2026-12-31 23:59"},
  };
  for (const auto& [cron, expected] : table) EXPECT_EQ(next(cron), expected) << cron;
}

TEST(Cron, WithBothDaysOneOfThemIsEnough) {
  EXPECT_THAT(
      times("0 0 1 * mon", moment(2026, 11, 28, 0, 0), no_offset, 4),
      ElementsAre(HasSubstr("2026-11-30"), HasSubstr("2026-12-01"), HasSubstr("2026-12-07"), HasSubstr("2026-12-14")));
}

TEST(Cron, WhatIsNotRightIsSaid) {
  const auto error = [](const std::string& text) {
    const auto parsed = parse_cron(text);
    return parsed ? std::string("none") : parsed.error();
  };
  EXPECT_THAT(error("* * * *"), HasSubstr("five fields"));
  EXPECT_THAT(error("* * * * * *"), HasSubstr("five fields"));
  EXPECT_THAT(error("60 * * * *"), HasSubstr("its minute is not right: expected 0 to 59"));
  EXPECT_THAT(error("* 24 * * *"), HasSubstr("its hour is not right"));
  EXPECT_THAT(error("* * 0 * *"), HasSubstr("its day of the month is not right: expected 1 to 31"));
  EXPECT_THAT(error("* * * 13 *"), HasSubstr("its month is not right: expected 1 to 12, names"));
  EXPECT_THAT(error("* * * * 8"), HasSubstr("its day of the week is not right: expected 0 to 7, names"));
  for (const char* minute : {"5-1", "*/0", "*/", "a", "-1", "1,", ",", "1-", "+1", "1/2/3", "1--2", "99999999999"})
    EXPECT_THAT(error(std::string(minute) + " * * * *"), HasSubstr("its minute")) << minute;
  EXPECT_THAT(error("@reboot"), HasSubstr("expected @hourly"));
  EXPECT_THAT(error("0 0 30 2 *"), HasSubstr("it would never be run"));
  EXPECT_EQ(error("0 0 30 2 mon"), "none") << "there are Mondays";
}

TEST(CronTimes, AreThoseOfTheTimeZone) {
  EXPECT_THAT(times("0 3 * * *", moment(2026, 7, 1, 0, 0), berlin, 1), ElementsAre("2026-07-01 03:00:00 +02:00"));
  EXPECT_THAT(times("0 3 * * *", moment(2026, 12, 1, 7, 59), new_york_winter, 2),
              ElementsAre("2026-12-01 03:00:00 -05:00", "2026-12-02 03:00:00 -05:00"));
}

TEST(CronTimes, WhatFallsIntoTheGapOfSpringComesAtItsEndAndOnce) {
  const std::int64_t evening = moment(2026, 3, 28, 20, 0);
  EXPECT_THAT(times("30 2 * * *", evening, berlin, 2),
              ElementsAre("2026-03-29 03:00:00 +02:00", "2026-03-30 02:30:00 +02:00"));
  EXPECT_THAT(times("*/20 2 * * *", evening, berlin, 2),
              ElementsAre("2026-03-29 03:00:00 +02:00", "2026-03-30 02:00:00 +02:00"));
  EXPECT_THAT(times("0 2,3 * * *", evening, berlin, 2),
              ElementsAre("2026-03-29 03:00:00 +02:00", "2026-03-30 02:00:00 +02:00"));
}

TEST(CronTimes, WhatComesTwiceInAutumnCountsOnce) {
  const std::int64_t evening = moment(2026, 10, 24, 20, 0);
  EXPECT_THAT(times("30 2 * * *", evening, berlin, 2),
              ElementsAre("2026-10-25 02:30:00 +02:00", "2026-10-26 02:30:00 +01:00"));
  // Also for one that looks in the second of the two hours for the first time.
  EXPECT_THAT(times("30 2 * * *", moment(2026, 10, 25, 1, 10), berlin, 1), ElementsAre("2026-10-26 02:30:00 +01:00"));
}

TEST(CronTimes, WithAnyHourTimeGoesOnAsItDoes) {
  EXPECT_THAT(times("*/30 * * * *", moment(2026, 10, 24, 23, 45), berlin, 6),
              ElementsAre("2026-10-25 02:00:00 +02:00", "2026-10-25 02:30:00 +02:00", "2026-10-25 02:00:00 +01:00",
                          "2026-10-25 02:30:00 +01:00", "2026-10-25 03:00:00 +01:00", "2026-10-25 03:30:00 +01:00"));
  EXPECT_THAT(times("*/30 * * * *", moment(2026, 3, 29, 0, 15), berlin, 3),
              ElementsAre("2026-03-29 01:30:00 +01:00", "2026-03-29 03:00:00 +02:00", "2026-03-29 03:30:00 +02:00"));
}

TEST(CronTimes, HalfHoursAreChangesToo) {
  EXPECT_THAT(times("45 1 * * *", moment(2026, 4, 4, 0, 0), lord_howe, 2),
              ElementsAre("2026-04-05 01:45:00 +11:00", "2026-04-06 01:45:00 +10:30"));
}

/// Each next time is later, and is one that the fields allow, whatever the zone does.
TEST(CronTimes, NeverGoBack) {
  const auto cron = parse_cron("7,37 */3 * * *");
  ASSERT_TRUE(cron);
  std::int64_t at = moment(2026, 1, 1, 0, 0);
  int runs = 0;
  for (; at < moment(2027, 1, 1, 0, 0); ++runs) {
    const auto next = next_after(*cron, at, berlin);
    ASSERT_TRUE(next);
    ASSERT_GT(*next, at);
    at = *next;
  }
  EXPECT_NEAR(runs, 365 * 16, 2);
}

}  // namespace
}  // namespace serval::config
