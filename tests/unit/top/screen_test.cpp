#include "top/screen.hpp"

#include <boost/json/parse.hpp>

#include <gmock/gmock.h>

#include "top/text.hpp"

namespace serval::top {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kBefore =
    R"({"name":"shop","version":"0.1.0","pid":811,"generation":3,"state":"serving","live":true,
  "ready":true,"unready":null,"uptime_s":90,"workers_wanted":2,"workers":[
  {"slot":0,"pid":11,"generation":3,"state":"serving","requests":100,"threads":5},
  {"slot":1,"pid":12,"generation":3,"state":"serving","requests":50,"threads":5}],
  "listeners":[{"queue":3},{"queue":null}],"ended":{"crash":2,"reload":1},
  "totals":{"requests":150,"answers":{"200":140,"503":10},
  "durations":{"bounds_s":[0.001,0.01,0.1],"counts":[10,0,0,0]}}})";
constexpr const char* kNow = R"({"name":"shop","version":"0.1.0","pid":811,"generation":3,"state":"serving","live":true,
  "ready":true,"unready":null,"uptime_s":92,"workers_wanted":2,"workers":[
  {"slot":0,"pid":11,"generation":3,"state":"serving","ready":true,"cause":null,"age_s":92,"requests":300,"connections":4,"running":1,
   "waiting":2,"threads":5,"memory_bytes":4194304,"beat_age_ms":250,"in_progress":[
   {"method":"GET","target":"/slow","peer":"10.0.0.7","thread":99,"age_ms":1500,"deadline_in_ms":-20}]},
  {"slot":1,"pid":12,"generation":3,"state":"draining","ready":false,"cause":"manual","age_s":92,"requests":60,"connections":1,"running":0,
   "waiting":0,"threads":5,"memory_bytes":1048576,"beat_age_ms":10,"in_progress":[]}],
  "listeners":[{"queue":3},{"queue":null}],"ended":{"crash":2,"reload":1},
  "totals":{"requests":360,"answers":{"200":330,"503":30},
  "durations":{"bounds_s":[0.001,0.01,0.1],"counts":[10,90,10,0]}}})";

Look look(const char* text, Duration at) { return {boost::json::parse(text).as_object(), TimePoint{} + at}; }

std::string text_of(const Screen& screen) {
  std::string text;
  for (const Line& line : screen.lines) {
    for (const Piece& piece : line) text += piece.text;
    text += '\n';
  }
  return text;
}

std::string shown(const Chosen& chosen = {}, Size size = {120, 24}) {
  const Look before = look(kBefore, 1s);
  return text_of(make_screen(look(kNow, 3s), &before, chosen, size));
}

TEST(TopScreen, TellsWhatHasChangedSinceTheLookBefore) {
  const std::string text = shown();
  for (const char* part : {"shop, serval 0.1.0, pid 811: serving, up for 1m 32s, generation 3\n",
                           "105 requests/s  10 5xx/s  p50 6.0ms  p95 55ms",
                           "1/5 threads busy  2 waiting, 3 in the kernel  5 connections  5.0MiB\n",
                           "1/2 workers serve  ended: crash 2, reload 1\n",
                           "for 1.5s, 20ms past its deadline: GET /slow, 10.0.0.7, thread 99\n"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(text, HasSubstr("SLOT+ PID GEN STATE "));
  EXPECT_THAT(text, testing::ContainsRegex("   0  11   3 serving +1m32s +100 +300 +4 +1/5 +2 +4.0MiB +250ms"));
}

TEST(TopScreen, TheFirstLookHasNoRates) {
  const std::string text = text_of(make_screen(look(kNow, 3s), nullptr, {}, {120, 24}));
  EXPECT_THAT(text, HasSubstr("- requests/s  - 5xx/s  p50 -"));
}

TEST(TopScreen, ANewServerIsNotComparedWithTheOneBefore) {
  Look before = look(kBefore, 1s);
  before.status["pid"] = 7;
  EXPECT_THAT(text_of(make_screen(look(kNow, 3s), &before, {}, {120, 24})), HasSubstr("- requests/s"));
}

TEST(TopScreen, FitsAnySize) {
  for (const Size size : {Size{80, 24}, Size{200, 60}, Size{40, 10}, Size{20, 3}, Size{1, 1}, Size{0, 0}}) {
    const Look before = look(kBefore, 1s);
    const Screen screen = make_screen(look(kNow, 3s), &before, {}, size);
    EXPECT_EQ(screen.lines.size(), static_cast<std::size_t>(std::max(size.rows, 1)));
    for (const Line& line : screen.lines) {
      std::size_t characters = 0;
      for (const Piece& piece : line) characters += piece.text.size();
      EXPECT_LE(characters, static_cast<std::size_t>(std::max(size.columns, 1)));
    }
  }
}

TEST(TopScreen, LeavesOutWhatMattersLeastWhereItIsNarrow) {
  const std::string narrow = shown({}, {60, 24});
  EXPECT_THAT(narrow, HasSubstr("STATE"));
  EXPECT_THAT(narrow, HasSubstr("BUSY"));
  EXPECT_THAT(narrow, Not(HasSubstr("BEAT")));
  EXPECT_THAT(shown({}, {80, 24}), HasSubstr("MEMORY"));
}

TEST(TopScreen, SortsAndSelects) {
  const Look before = look(kBefore, 1s);
  const auto slot = [&](const Chosen& chosen) { return make_screen(look(kNow, 3s), &before, chosen, {80, 24}).slot; };
  EXPECT_EQ(slot({.sort = Column::memory}), 1);
  EXPECT_EQ(slot({.sort = Column::memory, .descending = true}), 0);
  EXPECT_EQ(slot({.sort = Column::rate}), 1);
  EXPECT_EQ(slot({.sort = Column::state}), 1);
  EXPECT_EQ(slot({.sort = Column::slot, .selected = 1}), 1);
  EXPECT_EQ(slot({.selected = 99}), 1);
  EXPECT_EQ(slot({.selected = -3}), 0);
}

TEST(TopScreen, RequestsCanBeLeftOut) { EXPECT_THAT(shown({.show_requests = false}), Not(HasSubstr("/slow"))); }

TEST(TopScreen, TheSelectedWorkerStaysInSight) {
  Look many = look(kNow, 3s);
  boost::json::array workers;
  for (int i = 0; i < 100; ++i)
    workers.push_back(boost::json::object{{"slot", i}, {"pid", 1000 + i}, {"state", "serving"}});
  many.status["workers"] = workers;
  const Screen screen = make_screen(many, nullptr, {.selected = 70}, {80, 24});
  EXPECT_EQ(screen.slot, 70);
  EXPECT_THAT(text_of(screen), HasSubstr("1070"));
}

TEST(TopScreen, WhatIsWrongIsSaid) {
  Look now = look(kNow, 3s);
  now.status["ready"] = false;
  now.status["unready"] = "draining (serval drain)";
  EXPECT_THAT(text_of(make_screen(now, nullptr, {}, {80, 24})), HasSubstr("not ready"));
  EXPECT_THAT(text_of(make_screen(now, nullptr, {}, {80, 24})), HasSubstr("\ndraining (serval drain)\n"));
}

Style style_of_row(const Screen& screen, const std::string& part) {
  for (const Line& line : screen.lines) {
    if (line.size() == 1 && line[0].text.find(part) != std::string::npos) return line[0].style;
  }
  return Style::selected;
}

TEST(TopScreen, AWorkerThatIsStoppedOrSilentDoesNotLookWell) {
  Look now = look(kNow, 3s);
  auto& worker = now.status["workers"].as_array()[1].as_object();
  worker["state"] = "serving";
  worker["ready"] = true;
  worker["cause"] = nullptr;
  const auto shows = [&](const char* text, Style style) {
    const Screen screen = make_screen(now, nullptr, {}, {100, 24});
    EXPECT_THAT(text_of(screen), HasSubstr(text));
    EXPECT_EQ(style_of_row(screen, "  12 "), style) << text;
  };
  shows("2/2 workers serve", Style::plain);
  worker["beat_age_ms"] = 9000;
  shows("2/2 workers serve", Style::warning);
  worker["silent"] = true;
  shows("silent", Style::bad);
  worker["silent"] = false;
  worker["stopped"] = true;
  shows("stopped", Style::bad);
  shows("1/2 workers serve", Style::bad);
  EXPECT_EQ(make_screen(now, nullptr, {}, {100, 24}).lines[0].at(2).style, Style::warning) << "nor does the server";
}

TEST(TopScreen, CanariesComeOnTop) {
  Look now = look(kNow, 3s);
  now.status["workers_wanted"] = 1;
  now.status["workers"].as_array()[1].as_object()["state"] = "serving";
  EXPECT_THAT(text_of(make_screen(now, nullptr, {}, {100, 24})), HasSubstr("2 workers serve, 1 wanted"));
}

TEST(TopScreen, WithTwoGenerationsEachIsSaidHoweverNarrowItIs) {
  EXPECT_THAT(shown({}, {50, 24}), Not(HasSubstr("GEN")));
  Look now = look(kNow, 3s);
  now.status["workers"].as_array()[1].as_object()["generation"] = 4;
  EXPECT_THAT(text_of(make_screen(now, nullptr, {}, {50, 24})), HasSubstr("GEN"));
}

TEST(TopScreen, AnyJsonIsSomeScreen) {
  for (const char* text :
       {"{}", R"({"workers":[1,{"slot":"x","in_progress":7}],"totals":[],"ended":3,"listeners":"no"})",
        R"({"totals":{"durations":{"bounds_s":"x","counts":[1,null]},"answers":{"5":"x"}},"workers":{}})"}) {
    const Look before = look(text, 1s);
    EXPECT_EQ(make_screen(look(text, 2s), &before, {}, {80, 24}).lines.size(), 24U);
  }
}

TEST(TopScreen, CutsBetweenCharacters) {
  EXPECT_EQ(cut("abc", 2), "ab");
  EXPECT_EQ(cut("\xc3\xa4\xc3\xb6\xc3\xbc", 2), "\xc3\xa4\xc3\xb6");
  EXPECT_EQ(cut("ab", 5), "ab");
  EXPECT_EQ(cut("ab", 0), "");
}

}  // namespace
}  // namespace serval::top
