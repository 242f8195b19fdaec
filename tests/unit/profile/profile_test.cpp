#include "profile/profile.hpp"

#include <gmock/gmock.h>

namespace serval::profile {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<Frame> stack(std::initializer_list<const char*> innermost_first) {
  std::vector<Frame> frames;
  for (const char* name : innermost_first) frames.push_back({.function = name});
  return frames;
}

constexpr const char* kCall = "serval::app::App::handle(serval::app::Call&)";

Profile made(bool whole = false) {
  ProfileMaker maker(true, 100, whole);
  maker.add(stack({"burn()", "handle()", kCall, "main"}), false, 3);
  maker.add(stack({"sleep()", "handle()", kCall, "main"}), false, 1);
  maker.add(stack({"epoll_wait", "main"}), false, 2);
  maker.add({.taken = 6, .lost = 1, .silent = 0, .lasted_ns = 1'000'000'000, .cost_ns = 2'500'000});
  return maker.finish(1);
}

TEST(AppsPart, begins_where_serval_called_the_app) {
  struct Case {
    std::vector<Frame> frames;
    bool cut;
    std::vector<Frame> expected;
  };
  const Case cases[] = {
      {stack({"a", "b", kCall, "main"}), false, stack({"a", "b"})},
      {stack({"a", "b", kCall, "main"}), true, stack({"a", "b"})},
      {stack({"epoll_wait", "main"}), false, stack({"[serval]"})},
      {stack({kCall, "main"}), false, stack({"[serval]"})},
      {stack({"a", "a", "a"}), true, stack({"a", "a", "a", "[deeper]"})},
  };
  for (const Case& one : cases) EXPECT_EQ(apps_part(one.frames, one.cut), one.expected);
}

TEST(Folded, has_a_line_for_each_stack_outermost_first) {
  EXPECT_EQ(folded(made()), "[serval] 2\nhandle();burn() 3\nhandle();sleep() 1\n");
  EXPECT_EQ(folded(made(true)), "main;epoll_wait 2\nmain;" + std::string(kCall) + ";handle();burn() 3\nmain;" + kCall +
                                    ";handle();sleep() 1\n");
}

TEST(Folded, replaces_what_separates) {
  ProfileMaker maker(false, 100, true);
  maker.add(stack({"a;b\nc"}), false, 1);
  EXPECT_EQ(folded(maker.finish(1)), "a:b:c 1\n");
}

TEST(Folded, puts_stacks_together_that_differ_in_lines_only) {
  ProfileMaker maker(false, 100, true);
  maker.add({{.function = "a", .file = "a.cpp", .line = 1}}, false, 1);
  maker.add({{.function = "a", .file = "a.cpp", .line = 2}}, false, 1);
  const Profile profile = maker.finish(1);
  EXPECT_EQ(profile.stacks.size(), 2U);
  EXPECT_EQ(folded(profile), "a 2\n");
}

TEST(Table, has_the_busiest_function_first_and_counts_recursion_once) {
  ProfileMaker maker(true, 100, true);
  maker.add(stack({"deep", "deep", "main"}), false, 3);
  maker.add(stack({"main"}), false, 1);
  const std::string text = table(maker.finish(1));
  EXPECT_THAT(text, HasSubstr(" 75.0 %        75.0 %  deep\n"));
  EXPECT_THAT(text, HasSubstr(" 25.0 %       100.0 %  main\n"));
  EXPECT_LT(text.find("deep"), text.find("main"));
}

TEST(Summary, says_what_was_lost_and_what_it_cost) {
  EXPECT_EQ(summary(made()),
            "6 samples of CPU time of 1 worker at 100 Hz, 1 lost; it cost the workers 2.5 ms of CPU time in 1000.0 ms, "
            "that is  0.2 % of a CPU; so few that shares are rough: --seconds takes more; "
            "[serval] is serval's own work on the app's threads");
}

TEST(Summary, says_what_stands_for_serval_itself_and_trusts_many_samples) {
  ProfileMaker maker(true, 100, false);
  maker.add(stack({"epoll_wait", "main"}), false, 1);
  maker.add(Tally{.taken = 100});
  const std::string text = summary(maker.finish(1));
  EXPECT_THAT(text, HasSubstr("; [serval] is serval's own work on the app's threads"));
  EXPECT_THAT(text, Not(HasSubstr("so few")));
}

TEST(FormatOf, goes_by_the_end_of_the_name) {
  struct Case {
    const char* name;
    bool known;
    Format format;
  };
  const Case cases[] = {{"a.folded", true, Format::folded},
                        {"a.txt", true, Format::folded},
                        {"a.pb", true, Format::pprof},
                        {"a.pprof", true, Format::pprof},
                        {"a.pb.gz", true, Format::pprof_gzip},
                        {"/x.y/a.svg", true, Format::svg},
                        {"a.html", true, Format::html},
                        {"a.gz", false, {}},
                        {"svg", false, {}},
                        {"", false, {}}};
  for (const Case& one : cases) {
    Format format{};
    EXPECT_EQ(format_of(one.name, format), one.known) << one.name;
    if (one.known) {
      EXPECT_EQ(format, one.format) << one.name;
    }
  }
}

}  // namespace
}  // namespace serval::profile
