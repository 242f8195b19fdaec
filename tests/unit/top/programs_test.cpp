#include "top/programs.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "top/screen.hpp"

namespace serval::top {
namespace {

using namespace std::chrono_literals;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kBefore = R"({"name":"jobs","pid":7,"workers_wanted":0,"workers":[],"programs":[
  {"name":"mailer","on":true,"up":true,"instances":[{"instance":0,"pid":21,"state":"ready","cpu_s":1.0},
   {"instance":1,"pid":22,"state":"ready","cpu_s":2.0}]}]})";
constexpr const char* kNow = R"({"name":"jobs","version":"0.1.0","pid":7,"generation":1,"state":"serving","live":true,
  "ready":true,"unready":null,"uptime_s":92,"workers_wanted":0,"workers":[],"programs":[
  {"name":"mailer","on":true,"up":true,"failure":null,"restarts":{"crash":2,"manual":1},"schedule":null,"instances":[
   {"instance":0,"pid":21,"state":"ready","cause":null,"age_s":92,"memory_bytes":4194304,"cpu_s":2.5,"status":"busy"},
   {"instance":1,"pid":22,"state":"ready","cause":null,"age_s":2,"stopped":true,"memory_bytes":1048576,"cpu_s":2.0}]},
  {"name":"broken","on":true,"up":false,"failure":"instance 0 did not become ready: exit code 1","restarts":{},
   "instances":[{"instance":0,"pid":null,"state":"waiting","ended":"exit code 1","cpu_s":null}]},
  {"name":"cleanup","on":true,"up":true,"restarts":{},"instances":[],"schedule":{"when":"every 5m",
   "next":"2026-11-28 15:00:00 +01:00","last":{"result":"failure","how":"exit code 3","took_ms":7}}},
  {"name":"off","on":false,"up":false,"restarts":{},"instances":[]}]})";

Look look(const char* text, Duration at) { return {boost::json::parse(text).as_object(), TimePoint{} + at}; }

std::string text_of(const std::vector<Line>& lines) {
  std::string text;
  for (const Line& line : lines) {
    for (const Piece& piece : line) text += piece.text;
    text += '\n';
  }
  return text;
}

std::vector<Line> table(std::size_t room = 120) {
  static const Look before = look(kBefore, 1s);
  static const Look now = look(kNow, 3s);
  return program_lines(program_rows(now, &before), room, -1);
}

TEST(TopPrograms, ARowForEachInstanceAndOneForAProgramWithout) {
  const std::string text = text_of(table());
  EXPECT_THAT(text, ContainsRegex("PROGRAM +NO +PID +STATE +AGE +RESTARTS +MEMORY +CPU"));
  EXPECT_THAT(text, ContainsRegex("mailer +0 +21 ready +1m32s +3 +4.0MiB +75% busy"));
  EXPECT_THAT(text, ContainsRegex("mailer +1 +22 stopped +2s +1.0MiB +0%"));
  EXPECT_THAT(text, ContainsRegex("broken +0 +- waiting +- +0 +- +- instance 0 did not become ready: exit code 1"));
  EXPECT_THAT(text, ContainsRegex("cleanup +- +- scheduled +- +0 +- +- last failure, next 2026-11-28 15:00:00"));
  EXPECT_THAT(text, ContainsRegex("off +- +- off"));
}

TEST(TopPrograms, WhatIsNotWellDoesNotLookSo) {
  const auto lines = table();
  ASSERT_EQ(lines.size(), 6u);
  const std::vector<Style> expected = {Style::soft, Style::plain, Style::bad, Style::bad, Style::bad, Style::soft};
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i].at(0).style, expected[i]) << i;
}

TEST(TopPrograms, WhatMattersLeastIsLeftOutWhereItIsNarrow) {
  const std::string narrow = text_of(table(45));
  EXPECT_THAT(narrow, HasSubstr("STATE"));
  EXPECT_THAT(narrow, HasSubstr("MEMORY"));
  EXPECT_THAT(narrow, Not(HasSubstr("RESTARTS")));
  EXPECT_THAT(text_of(table(25)), Not(HasSubstr("MEMORY")));
}

TEST(TopPrograms, WithoutAnAppTheyAreAllThereIs) {
  const Screen screen = make_screen(look(kNow, 3s), nullptr, {.selected = 1}, {100, 24});
  const std::string text = text_of(screen.lines);
  EXPECT_THAT(text, Not(HasSubstr("SLOT")));
  EXPECT_THAT(text, Not(HasSubstr("requests/s")));
  EXPECT_THAT(text, HasSubstr("2/4 programs are up"));
  EXPECT_THAT(text, HasSubstr("mailer"));
  EXPECT_EQ(screen.selectable, 5) << "rows of programs";
  EXPECT_FALSE(screen.slot);
}

TEST(TopPrograms, StandBelowTheWorkers) {
  Look now = look(kNow, 3s);
  boost::json::array workers;
  for (int i = 0; i < 100; ++i)
    workers.push_back(boost::json::object{{"slot", i}, {"pid", 1000 + i}, {"state", "serving"}});
  now.status["workers"] = workers;
  now.status["workers_wanted"] = 100;
  const Screen screen = make_screen(now, nullptr, {.selected = 70}, {80, 24});
  const std::string text = text_of(screen.lines);
  EXPECT_EQ(screen.slot, 70);
  EXPECT_THAT(text, HasSubstr("1070"));
  EXPECT_THAT(text, HasSubstr("PROGRAM"));
  EXPECT_THAT(text, HasSubstr("scheduled"));
  EXPECT_LT(text.find("SLOT"), text.find("PROGRAM"));
  EXPECT_EQ(screen.lines.size(), 24u);
}

TEST(TopPrograms, ManyOfThemDoNotPushTheWorkersOut) {
  Look now = look(kNow, 3s);
  now.status["workers_wanted"] = 1;
  now.status["workers"] = boost::json::array{boost::json::object{{"slot", 0}, {"pid", 1234}, {"state", "serving"}}};
  boost::json::array programs;
  for (int i = 0; i < 100; ++i)
    programs.push_back(boost::json::object{{"name", "p" + std::to_string(i)}, {"on", true}, {"instances", {}}});
  now.status["programs"] = programs;
  const std::string text = text_of(make_screen(now, nullptr, {}, {80, 24}).lines);
  EXPECT_THAT(text, HasSubstr("1234"));
  EXPECT_THAT(text, ContainsRegex("and [0-9]+ more: serval status"));
}

TEST(TopPrograms, FitAnySize) {
  for (const Size size : {Size{80, 24}, Size{40, 10}, Size{20, 3}, Size{30, 8}, Size{1, 1}, Size{0, 0}}) {
    for (const int wanted : {0, 1}) {
      Look now = look(kNow, 3s);
      now.status["workers_wanted"] = wanted;
      EXPECT_EQ(make_screen(now, nullptr, {.selected = 99}, size).lines.size(),
                static_cast<std::size_t>(std::max(size.rows, 1)));
    }
  }
}

TEST(TopPrograms, AnyJsonIsSomeTable) {
  for (const char* text :
       {R"({"programs":[1,{"instances":7,"schedule":3,"restarts":[]},{"instances":[{}],"schedule":{"last":1}}]})",
        R"({"programs":{}})", R"({"programs":[{"instances":[{"cpu_s":"x","memory_bytes":-5,"instance":"a"}]}]})"}) {
    const Look before = look(text, 1s);
    EXPECT_EQ(make_screen(look(text, 2s), &before, {}, {80, 24}).lines.size(), 24U);
  }
}

}  // namespace
}  // namespace serval::top
