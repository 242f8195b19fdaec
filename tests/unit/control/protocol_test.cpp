#include "control/protocol.hpp"

#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>

namespace serval::control {
namespace {

using testing::HasSubstr;

std::string without_end(std::string line) {
  EXPECT_EQ(line.find('\n'), line.size() - 1) << "a message is one line";
  line.pop_back();
  return line;
}

TEST(Protocol, RequestsRoundTrip) {
  const Request table[] = {
      {"status", {}},
      {"recycle", {{"slot", 3}, {"all", false}, {"why", "line\nend \"quotes\" \\"}}},
  };
  for (const Request& request : table) {
    const auto back = parse_request(without_end(format(request)));
    ASSERT_TRUE(back) << back.error();
    EXPECT_EQ(*back, request);
  }
}

TEST(Protocol, ArgumentsMayBeLeftOut) {
  const auto request = parse_request(R"({"command":"status"})");
  ASSERT_TRUE(request) << request.error();
  EXPECT_EQ(*request, (Request{"status", {}}));
}

TEST(Protocol, RefusesRequestsOfAnotherShape) {
  struct Row {
    std::string line;
    const char* why;
  };
  const Row table[] = {
      {"", "no JSON"},
      {"status", "no JSON"},
      {R"({"command":"status")", "no JSON"},
      {R"({"command":"status"}{})", "no JSON"},
      {"{\"command\":\"\xff\"}", "no JSON"},
      {std::string(100, '['), "no JSON"},
      {"[]", "expected a JSON object"},
      {"\"status\"", "expected a JSON object"},
      {"{}", "expected a text \"command\""},
      {R"({"command":1})", "expected a text \"command\""},
      {R"({"command":"status","arguments":[]})", "\"arguments\" is no JSON object"},
      {R"({"command":"status","argument":{}})", "unknown key \"argument\""},
      {R"({"command":"scale","arguments":{"to":1e400}})", "a number out of range"},
  };
  for (const Row& row : table) {
    const auto request = parse_request(row.line);
    ASSERT_FALSE(request) << row.line;
    EXPECT_THAT(request.error(), HasSubstr(row.why));
  }
}

TEST(Protocol, AnswersRoundTrip) {
  const auto progress = parse_answer(without_end(format(Progress{"waiting for worker 0\nand 1"})));
  ASSERT_TRUE(progress) << progress.error();
  EXPECT_EQ(std::get<Progress>(*progress).text, "waiting for worker 0\nand 1");

  const auto good =
      parse_answer(without_end(format(Reply{.ok = true, .result = {{"workers", 2}}, .error = {}, .exit_code = 0})));
  ASSERT_TRUE(good) << good.error();
  EXPECT_TRUE(std::get<Reply>(*good).ok);
  EXPECT_EQ(json::serialize(std::get<Reply>(*good).result), R"({"workers":2})");

  const auto bad = parse_answer(without_end(format(Reply{.ok = false, .result = {}, .error = "no", .exit_code = 69})));
  ASSERT_TRUE(bad) << bad.error();
  EXPECT_FALSE(std::get<Reply>(*bad).ok);
  EXPECT_EQ(std::get<Reply>(*bad).error, "no");
  EXPECT_EQ(std::get<Reply>(*bad).exit_code, 69);
}

TEST(Protocol, ANewerServerMaySayMore) {
  const auto reply = parse_answer(R"({"ok":true,"result":{},"took_ms":3})");
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_TRUE(std::get<Reply>(*reply).ok);
}

TEST(Protocol, RefusesAnswersOfAnotherShape) {
  for (const char* line :
       {"", "HTTP/1.1 400 Bad Request", "{}", R"({"ok":1})", R"({"ok":true})", R"({"ok":true,"result":[]})",
        R"({"ok":false})", R"({"ok":false,"error":"no"})", R"({"ok":false,"error":"no","exit":0})",
        R"({"ok":false,"error":"no","exit":256})", R"({"progress":1})"}) {
    const auto answer = parse_answer(line);
    ASSERT_FALSE(answer) << line;
    EXPECT_THAT(answer.error(), HasSubstr("the answer is not understood"));
  }
}

TEST(Protocol, RefusesNumbersThatCouldNotBeWrittenAgain) {
  for (const char* number : {"1e400", "-1e400", "-0e310", "1.7976931348623157e308", "[0,{\"deep\":1e99999}]"}) {
    const auto answer = parse_answer(R"({"ok":true,"result":{"x":)" + std::string(number) + "}}");
    ASSERT_FALSE(answer) << number;
    EXPECT_THAT(answer.error(), HasSubstr("a number out of range"));
  }
  EXPECT_TRUE(parse_answer(R"({"ok":true,"result":{"x":1e307}})"));
}

TEST(Protocol, BytesThatAreNoTextDoNotSpoilTheLine) {
  const auto reply =
      parse_answer(without_end(format(Reply{.ok = false, .result = {}, .error = "a\xff\xc3z\n", .exit_code = 1})));
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(std::get<Reply>(*reply).error, "a\xef\xbf\xbd\xef\xbf\xbdz\n");
}

}  // namespace
}  // namespace serval::control
