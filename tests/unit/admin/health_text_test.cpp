#include "admin/health_text.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

namespace serval::admin {
namespace {

Status status_of(const char* text) {
  return std::make_shared<const boost::json::object>(boost::json::parse(text).as_object());
}

TEST(HealthText, EachQuestionLooksAtItsOwnThing) {
  struct Row {
    const char* status;  // null: the master does not answer
    HealthQuestion question;
    int code;
    const char* text;
  };
  const Row table[] = {
      {R"({"live":true,"lifeless":null})", HealthQuestion::live, 200, "ok\n"},
      {R"({"lifeless":"no worker serves","unready":null})", HealthQuestion::live, 503, "no worker serves\n"},
      {R"({"lifeless":"the workers hang","unready":null})", HealthQuestion::ready, 200, "ok\n"},
      {R"({"unready":"paused"})", HealthQuestion::ready, 503, "paused\n"},
      {R"({"state":"booting"})", HealthQuestion::started, 503, "the server boots\n"},
      {R"({"state":"stopping"})", HealthQuestion::started, 200, "ok\n"},
      {nullptr, HealthQuestion::live, 503, "the master does not answer\n"},
      {nullptr, HealthQuestion::ready, 503, "the master does not answer\n"},
      {nullptr, HealthQuestion::started, 503, "the master does not answer\n"},
  };
  for (const Row& row : table) {
    const HealthAnswer answer = health_answer(row.question, row.status ? status_of(row.status) : nullptr, false);
    EXPECT_EQ(answer.status, row.code) << row.text;
    EXPECT_EQ(answer.text, row.text);
  }
}

TEST(HealthText, VerboseNamesWhatWasLookedAt) {
  EXPECT_EQ(health_answer(HealthQuestion::live, status_of("{}"), true).text,
            "[+]master ok\n[+]workers ok\nlivez check passed\n");
  EXPECT_EQ(health_answer(HealthQuestion::ready, status_of(R"({"unready":"paused"})"), true).text,
            "[+]master ok\n[-]ready failed: paused\nreadyz check failed\n");
  EXPECT_EQ(health_answer(HealthQuestion::started, nullptr, true).text,
            "[-]master failed: the master does not answer\nstartupz check failed\n");
}

}  // namespace
}  // namespace serval::admin
