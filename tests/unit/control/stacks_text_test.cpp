#include "control/stacks_text.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>

namespace serval::control {
namespace {

using testing::HasSubstr;
using testing::Not;

boost::json::object object(const char* text) { return boost::json::parse(text).as_object(); }

TEST(StacksText, IsForPeople) {
  EXPECT_EQ(format_stacks(object(R"({"workers": [
    {"slot": 0, "pid": 813, "generation": 1, "silent": null, "threads": [
      {"thread": 830, "loop": false, "state": "S", "frames": ["clock_nanosleep in libc.so.6",
    "Shop::handle() at shop.cpp:63",
                                                                "serval::app::App::handle() at app.cpp:1", "main"],
       "request": {"method": "GET", "target": "/report?year=2026", "request_id": "6f2a", "age_ms": 1240}},
      {"thread": 831, "loop": false, "state": "S", "request": null, "frames": ["futex_wait in libc.so.6"]},
      {"thread": 813, "loop": true, "state": "R", "request": null, "frames": ["epoll_wait in libc.so.6"]},
      {"thread": 832, "loop": false, "state": "S", "request": null, "frames": ["futex_wait in libc.so.6"]}]},
    {"slot": 1, "pid": 814, "generation": 1, "silent": "it does not answer", "threads": [
      {"thread": 814, "loop": true, "state": "T", "request": null, "frames": []}]}]})")),
            R"(worker 0, pid 813, generation 1
  thread 830, sleeps: GET /report?year=2026  for 1.2s, id 6f2a
    clock_nanosleep in libc.so.6
    Shop::handle() at shop.cpp:63
  threads 831 832, sleeps: no request
    futex_wait in libc.so.6
  thread 813, runs: has the I/O loop
    epoll_wait in libc.so.6
worker 1, pid 814, generation 1: it does not answer
  thread 814, stopped: has the I/O loop
)");
}

TEST(StacksText, LetsNoControlByteThrough) {
  const std::string text = format_stacks(object(R"({"workers": [{"slot": 0, "silent": "\u001b[2J", "threads": [
    {"thread": 1, "frames": ["\u001b[2J"], "request": {"method": "\u001b[2J", "target": "\u001b[2J"}}]}]})"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(StacksText, ShowsWhatItIsGiven) {
  EXPECT_EQ(format_stacks({}), "");
  for (const char* text : {R"({"workers":1})", R"({"workers":[1]})"}) {
    EXPECT_EQ(format_stacks(object(text)), "") << text;
  }
  for (const char* text :
       {R"({"workers":[{}]})", R"({"workers":[{"threads":[{},1,{"frames":[1],"request":{}}],"slot":"x"}]})"}) {
    EXPECT_THAT(format_stacks(object(text)), HasSubstr("worker -, pid -")) << text;
  }
}

}  // namespace
}  // namespace serval::control
