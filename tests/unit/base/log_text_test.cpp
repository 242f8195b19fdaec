#include "base/log_text.hpp"

#include <gtest/gtest.h>

namespace serval::log {
namespace {

std::string text(std::string_view value, bool quoted = false) {
  std::string out;
  append_text(out, value, quoted);
  return out;
}

std::string json(std::string_view value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::string rendered(Format format, std::string_view sentence, Fields fields) {
  return render(format, sentence, {fields.begin(), fields.size()});
}

TEST(LogText, values_are_quoted_only_where_they_must_be) {
  EXPECT_EQ(rendered(Format::text, "worker ready", {{"boot_ms", 12}, {"name", "shop"}}),
            "worker ready boot_ms=12 name=shop");
  EXPECT_EQ(rendered(Format::text, "x",
                     {{"a", "two words"}, {"b", "k=v"}, {"c", "say \"hi\""}, {"d", "back\\slash"}, {"e", ""}}),
            R"(x a="two words" b="k=v" c="say \"hi\"" d="back\\slash" e="")");
  EXPECT_EQ(rendered(Format::text, "x", {{"path", "/a/b.so"}, {"utf8", "naïve"}, {"flag", true}}),
            "x path=/a/b.so utf8=\"naïve\" flag=1");
}

TEST(LogText, a_line_stays_one_line_and_no_terminal_obeys_it) {
  EXPECT_EQ(text("a\nb\rc\td"), "a\\nb\\rc\\td");
  EXPECT_EQ(text("\x1b[31mred\x7f"), "\\x1b[31mred\\x7f");
  EXPECT_EQ(text(std::string_view("nul\0", 4)), "nul\\x00");
  EXPECT_EQ(text("\xc2\x9b"
                 "31m"),
            "\\xc2\\x9b31m");  // U+009B, the C1 form of ESC [
  EXPECT_EQ(text("grün €😀"), "grün €😀");
  EXPECT_EQ(text("a\"b\\c"), "a\"b\\c");
  EXPECT_EQ(text("a\"b\\c", true), "a\\\"b\\\\c");
}

TEST(LogText, what_is_not_utf8_is_shown_byte_by_byte) {
  EXPECT_EQ(text("\xff"), "\\xff");
  EXPECT_EQ(text("caf\xe9!"), "caf\\xe9!");
  EXPECT_EQ(text("\xe2\x82"), "\\xe2\\x82");                    // cut short
  EXPECT_EQ(text("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(text("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");           // overlong
  EXPECT_EQ(text("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(text("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
  EXPECT_EQ(text("\xf4\x8f\xbf\xbf"), "\xf4\x8f\xbf\xbf");
}

TEST(LogText, json_strings_are_valid_whatever_the_bytes) {
  EXPECT_EQ(json("say \"hi\" \\ /"), R"(say \"hi\" \\ /)");
  EXPECT_EQ(json("a\nb\tc\x01\x1f\x7f"), R"(a\nb\tc\u0001\u001f\u007f)");
  EXPECT_EQ(json("caf\xe9!"), R"(caf\ufffd!)");
  EXPECT_EQ(json("\xed\xa0\x80"), R"(\ufffd\ufffd\ufffd)");
  EXPECT_EQ(json("grün €😀"), "grün €😀");
}

TEST(LogText, json_numbers_are_numbers) {
  EXPECT_EQ(
      rendered(Format::json, "worker ready", {{"boot_ms", std::chrono::milliseconds(12)}, {"slot", -1}, {"why", "5"}}),
      R"("msg":"worker ready","boot_ms":12,"slot":-1,"why":"5")");
}

TEST(LogText, the_master_has_no_generation) {
  EXPECT_EQ(render_origin(Format::text, {"master", 0, 811, {}}), "master pid=811");
  EXPECT_EQ(render_origin(Format::json, {"master", 0, 811, {}}), R"("process":"master","pid":811)");
  EXPECT_EQ(render_origin(Format::text, {"worker[3]", 2, 811, "stdout"}), "worker[3] gen=2 pid=811 stream=stdout");
  EXPECT_EQ(render_origin(Format::json, {"worker[3]", 2, 811, "stdout"}),
            R"("process":"worker[3]","gen":2,"pid":811,"stream":"stdout")");
}

TEST(LogText, the_journal_has_time_and_level_itself) {
  std::string out;
  append_line(out, Format::text, {{}, "warning", "master pid=1", "x", "<4>"});
  append_line(out, Format::json, {{}, "warning", R"("process":"master")", R"("msg":"x")", "<4>"});
  EXPECT_EQ(out,
            "<4>master pid=1: x\n"
            "<4>{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"warning\",\"process\":\"master\",\"msg\":\"x\"}\n");
}

TEST(LogText, whole_lines) {
  using namespace std::chrono;
  const system_clock::time_point time = sys_days(2026y / November / 1d) + 10h + 2min + 3s + 7ms + 999us;
  std::string out;
  append_line(out, Format::text, {time, "info", "worker[3] gen=2 pid=811", "worker ready boot_ms=12"});
  append_line(out, Format::text, {time, "warning", "master pid=1", "x"});
  append_line(out, Format::json,
              {time, "info", R"("process":"worker[3]","gen":2,"pid":811)", R"("msg":"worker ready","boot_ms":12)"});
  EXPECT_EQ(out,
            "2026-11-01T10:02:03.007Z info  worker[3] gen=2 pid=811: worker ready boot_ms=12\n"
            "2026-11-01T10:02:03.007Z warning master pid=1: x\n"
            "{\"time\":\"2026-11-01T10:02:03.007Z\",\"level\":\"info\",\"process\":\"worker[3]\",\"gen\":2,\"pid\":811,"
            "\"msg\":\"worker ready\",\"boot_ms\":12}\n");
}

TEST(LogText, what_is_json_already_is_left_as_it_is) {
  const Field fields[] = {Field::verbatim("a", R"({"b":[1,"x"]})"), Field::verbatim("c\"", "0.10")};
  EXPECT_EQ(render(Format::json, "x", fields), R"("msg":"x","a":{"b":[1,"x"]},"c\"":0.10)");
  EXPECT_EQ(render(Format::text, "x", fields), R"(x a="{\"b\":[1,\"x\"]}" c"=0.10)");
}

TEST(LogText, json_keys_have_the_names_of_a_collector) {
  const Style ecs(Format::json, Keys::ecs);
  const Field fields[] = {{"error", "no"}, {"boot_ms", 12}, Field::verbatim("level", "1")};
  const std::string origin = render_origin(ecs, {"worker[0]", 2, 811, "stdout"});
  EXPECT_EQ(origin, R"("process.name":"worker[0]","serval.gen":2,"process.pid":811,"serval.stream":"stdout")");
  const std::string payload = render(ecs, "x", fields);
  EXPECT_EQ(payload, R"("message":"x","error.message":"no","serval.boot_ms":12,"level":1)");
  std::string line;
  append_line(line, ecs, {{}, "info", origin, payload});
  EXPECT_EQ(line, R"({"@timestamp":"1970-01-01T00:00:00.000Z","log.level":"info",)" + origin + "," + payload +
                      ",\"ecs.version\":\"8.11.0\"}\n");
  EXPECT_EQ(render(Style(Format::text, Keys::ecs), "x", fields), "x error=no boot_ms=12 level=1");
}

}  // namespace
}  // namespace serval::log
