#include <gmock/gmock.h>

#include "profile/profile.hpp"

namespace serval::profile {
namespace {

using testing::HasSubstr;
using testing::Not;

Profile one_of(std::string name) {
  ProfileMaker maker(true, 100, true);
  maker.add({{.function = std::move(name)}, {.function = "main"}}, false, 3);
  maker.add({{.function = "main"}}, false, 1);
  return maker.finish(1);
}

TEST(FlameGraph, is_as_wide_as_the_counts) {
  const std::string svg = flame_graph_svg(one_of("burn"), "shop");
  EXPECT_THAT(svg, HasSubstr("data-w=\"900.00\"><title>burn (3 samples, 75.0%)</title>"));
  EXPECT_THAT(svg, HasSubstr("data-w=\"1200.00\"><title>main (4 samples, 100.0%)</title>"));
}

TEST(FlameGraph, escapes_names_and_title) {
  const std::string svg = flame_graph_svg(one_of("a<b>&\"'\x01\xff</script>"), "<shop>");
  EXPECT_THAT(svg, HasSubstr("<title>a&lt;b&gt;&amp;&quot;&#39;??&lt;/script&gt; (3 samples"));
  EXPECT_THAT(svg, HasSubstr("&lt;shop&gt;"));
}

TEST(FlameGraph, leaves_out_what_nobody_sees) {
  ProfileMaker maker(true, 100, true);
  maker.add({{.function = "rare"}}, false, 1);
  maker.add({{.function = "main"}}, false, 1'000'000);
  EXPECT_THAT(flame_graph_svg(maker.finish(1), ""), Not(HasSubstr("rare")));
}

TEST(FlameGraph, as_html_is_the_same_graph_without_the_declaration_of_xml) {
  const std::string html = flame_graph_html(one_of("burn"), "shop");
  EXPECT_THAT(html, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(html, HasSubstr("<title>burn (3 samples, 75.0%)</title>"));
  EXPECT_THAT(html, Not(HasSubstr("<?xml")));
}

}  // namespace
}  // namespace serval::profile
