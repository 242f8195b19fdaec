#include "cli/log_filter.hpp"

#include <gtest/gtest.h>

#include "base/log_text.hpp"

namespace serval::cli {
namespace {

using log::Level;

constexpr std::string_view kText =
    R"(2026-11-21T10:00:00.123Z warning worker[3] gen=2 pid=811: request timed out target="/a b")";

/// A line as the log spells it.
std::string spelt(log::Style style, std::string_view process, std::string_view level, std::string_view sentence) {
  std::string line;
  const std::string origin = log::render_origin(style, {process, 2, 811, {}});
  log::append_line(line, style, {{}, level, origin, log::render(style, sentence, {})});
  line.pop_back();
  return line;
}

TEST(LogFilter, knows_process_and_level_of_a_line_in_every_spelling) {
  const log::Style styles[] = {log::Format::text,
                               log::Format::json,
                               {log::Format::json, log::Keys::ecs},
                               {log::Format::json, log::Keys::datadog},
                               {log::Format::json, log::Keys::gcp}};
  for (const log::Style& style : styles) {
    for (const std::string_view level : {"debug", "info", "warning", "error"}) {
      const std::string line = spelt(style, "worker[3]", level, "a sentence");
      EXPECT_EQ(read_head(line).process, "worker[3]") << line;
      EXPECT_EQ(read_head(line).level, level_of(level)) << line;
    }
    EXPECT_EQ(read_head(spelt(style, "master", "info", "x")).process, "master");
  }
}

TEST(LogFilter, a_line_that_is_not_servals_says_nothing) {
  for (const std::string_view line :
       {"", " ", "plain", "{", "{}", "[1]", R"({"level":"error"})",
        R"({"time":1,"level":"error","process":"x","msg":"y"})", "2026-11-21T10:00:00.123Z",
        "2026-11-21T10:00:00.123Z shouting worker[3] x", "2026-11-21 10:00:00 error worker[3] x"}) {
    EXPECT_EQ(read_head(line).process, "") << line;
    EXPECT_FALSE(read_head(line).level) << line;
  }
}

TEST(LogFilter, the_apps_own_fields_are_not_taken_for_servals) {
  const auto head = read_head(R"({"time":"t","level":"info","process":"master","msg":"m","severity":"error"})");
  EXPECT_EQ(head.level, Level::info);
  const auto gcp = read_head(R"({"time":"t","severity":"error","process":"master","message":"m","level":"info"})");
  EXPECT_EQ(gcp.level, Level::error);
}

TEST(LogFilter, lets_through_what_passes_all_of_it) {
  struct Case {
    LogFilter filter;
    bool passes;
  };
  const Case cases[] = {
      {{}, true},
      {{.process = "worker[3]", .at_least = {}, .text = {}}, true},
      {{.process = "worker[33]", .at_least = {}, .text = {}}, false},
      {{.process = "worker", .at_least = {}, .text = {}}, false},
      {{.process = {}, .at_least = Level::debug, .text = {}}, true},
      {{.process = {}, .at_least = Level::warning, .text = {}}, true},
      {{.process = {}, .at_least = Level::error, .text = {}}, false},
      {{.process = {}, .at_least = {}, .text = "timed out"}, true},
      {{.process = {}, .at_least = {}, .text = "Timed"}, false},
      {{.process = "worker[3]", .at_least = Level::warning, .text = "/a b"}, true},
      {{.process = "worker[3]", .at_least = Level::warning, .text = "/b"}, false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(passes(c.filter, kText), c.passes) << c.filter.process << ' ' << c.filter.text;
  }
  LogFilter program;
  program.program = "mailer";
  const auto line = [](std::string_view text) { return "2026-11-21T10:00:00.123Z info  " + std::string(text); };
  EXPECT_TRUE(passes(program, line("mailer[0] pid=811 stream=stdout: hello")));
  EXPECT_FALSE(passes(program, line("mailer2[0] pid=811 stream=stdout: hello")));
  EXPECT_TRUE(passes(program, line("master pid=1: program ended program=mailer instance=0")));
  EXPECT_FALSE(passes(program, line("master pid=1: program ended program=mailer2 instance=0")));
  EXPECT_FALSE(passes(program, line("worker[0] pid=1: said program=mailer instance=0")));
  EXPECT_TRUE(passes(program, R"({"time":"t","level":"info","process":"master","msg":"m","program":"mailer"})"));
  EXPECT_TRUE(passes({}, "plain"));
  EXPECT_FALSE(passes({.process = {}, .at_least = Level::debug, .text = {}}, "plain"));
}

}  // namespace
}  // namespace serval::cli
