#include "http/access_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <ctime>

#include "base/access_atoms.hpp"

namespace serval::http {
namespace {

using namespace std::chrono_literals;

/// The local time zone for as long as it lives.
class Zone {
 public:
  explicit Zone(const char* zone) {
    if (const char* old = std::getenv("TZ")) old_ = old;
    set(zone);
  }
  ~Zone() { set(old_.empty() ? nullptr : old_.c_str()); }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

 private:
  static void set(const char* zone) {
    zone == nullptr ? ::unsetenv("TZ") : ::setenv("TZ", zone, 1);
    ::tzset();
  }
  std::string old_;
};

AccessRecord sample() {
  AccessRecord record;
  record.peer = "203.0.113.9";
  record.method = "GET";
  record.target = "/a?b=c";
  record.minor_version = 1;
  record.referer = "http://r.example/";
  record.user_agent = "curl/7.88.1";
  record.host = "a.example";
  record.request_id = "0af7";
  record.status = 200;
  record.bytes_in = 12;
  record.bytes_out = 345;
  record.when = std::chrono::system_clock::time_point(971211336s + 7ms);
  record.duration = 1234us;
  record.queue_wait = 56us;
  record.worker = 3;
  record.pid = 811;
  return record;
}

std::string line(std::string_view format, const AccessRecord& record) {
  const Result<AccessFormat> parsed = AccessFormat::parse(format);
  if (!parsed) {
    ADD_FAILURE() << parsed.error();
    return {};
  }
  std::string out = "before\n";
  parsed->append(out, record);
  EXPECT_EQ(out.substr(0, 7), "before\n");
  EXPECT_EQ(out.find('\n', 7), out.size() - 1) << "not exactly one line";
  return out.substr(7, out.size() - 8);
}

TEST(AccessLog, CombinedIsApachesWithServalsWordsBehind) {
  const Zone zone("AAA+7");
  AccessRecord record = sample();
  record.when += 1h;  // not the second that another test has left formatted
  EXPECT_EQ(line("combined", record),
            "203.0.113.9 - - [10/Oct/2000:14:55:36 -0700] \"GET /a?b=c HTTP/1.1\" 200 345 \"http://r.example/\" "
            "\"curl/7.88.1\" "
            "request_id=0af7 duration_us=1234 queue_wait_us=56 worker=3 outcome=ok");
}

TEST(AccessLog, WhatIsNotKnownIsADash) {
  AccessRecord record;
  record.status = 408;
  record.outcome = Outcome::timeout;
  const std::string text = line("combined", record);
  EXPECT_TRUE(text.starts_with("- - - [")) << text;
  EXPECT_TRUE(
      text.ends_with("] \"-\" 408 0 \"-\" \"-\" request_id=- duration_us=0 queue_wait_us=0 worker=0 outcome=timeout"))
      << text;
  EXPECT_EQ(line("$method|$protocol|$host|$reason|$received", record), "-|-|-|-|-");
}

AccessRecord refused() {
  AccessRecord record = sample();
  record.method = record.target = record.referer = record.user_agent = record.host = {};
  record.minor_version = -1;
  record.status = 400;
  record.outcome = Outcome::refused;
  record.reason = "a byte that may not stand in a target";
  record.received = "GET /\x1b\"\xff";
  return record;
}

TEST(AccessLog, ARefusedRequestShowsWhatCameAndWhy) {
  const std::string text = line("combined", refused());
  EXPECT_NE(text.find("] \"GET /\\x1B\\x22\\xFF\" 400 345 \"-\" \"-\" "), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with(" outcome=refused reason=\"a byte that may not stand in a target\"")) << text;
  EXPECT_EQ(line("$status $reason <$received>", refused()),
            "400 a byte that may not stand in a target <GET /\\x1B\\x22\\xFF>");
  const auto object = boost::json::parse(line("json", refused())).as_object();
  EXPECT_EQ(object.at("reason").as_string(), "a byte that may not stand in a target");
  EXPECT_EQ(object.at("received").as_string(), "GET /\x1b\"\xc3\xbf");
}

TEST(AccessLog, CommonIsApachesAlone) {
  const Zone zone("AAA+7");
  AccessRecord record = sample();
  record.when += 2h;
  EXPECT_EQ(line("common", record), "203.0.113.9 - - [10/Oct/2000:15:55:36 -0700] \"GET /a?b=c HTTP/1.1\" 200 345");
}

TEST(AccessLog, TemplatesHoldAnyAtom) {
  EXPECT_EQ(line("$peer $method $target $status $duration_us", sample()), "203.0.113.9 GET /a?b=c 200 1234");
  EXPECT_EQ(line("[$time] ${peer}x $$status=$status $protocol", sample()),
            "[2000-10-10T20:55:36.007Z] 203.0.113.9x $status=200 HTTP/1.1");
  AccessRecord full = sample();
  full.reason = full.received = "x";
  for (const AccessAtom& atom : kAccessAtoms) {
    const std::string text = line("<$" + std::string(atom.name) + ">", full);
    EXPECT_GT(text.size(), 2u) << atom.name << " prints nothing";
    EXPECT_NE(text, "<->") << atom.name;
  }
}

/// Every byte, alone and among others, in every place that a client fills.
std::string every_byte() {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  return bytes;
}

AccessRecord filled_by_the_client(std::string_view text) {
  AccessRecord record = sample();
  record.method = record.target = record.referer = record.user_agent = record.host = record.request_id =
      record.received = text;
  return record;
}

TEST(AccessLog, NoByteLeavesTheLineOrTheQuotes) {
  const std::string bytes = every_byte();
  for (const char* format : {"combined", "\"$user_agent\""}) {
    const std::string text = line(format, filled_by_the_client(bytes));
    for (const char byte : text) EXPECT_TRUE(byte >= 0x20 && byte < 0x7f) << static_cast<int>(byte);
    EXPECT_EQ(std::count(text.begin(), text.end(), '"'), format[0] == 'c' ? 6 : 2);
  }
  EXPECT_EQ(line("$target", filled_by_the_client("a\"b\\c\r\n\x7f\xc3\xa9 d")),
            "a\\x22b\\x5Cc\\x0D\\x0A\\x7F\\xC3\\xA9 d");
  EXPECT_EQ(line("$target", filled_by_the_client("0123456789\n0123456789")), "0123456789\\x0A0123456789");
}

TEST(AccessLog, JsonHoldsEveryAtomWithItsType) {
  AccessRecord full = sample();
  full.reason = full.received = "x";
  const auto object = boost::json::parse(line("json", full)).as_object();
  EXPECT_EQ(object.size(), std::size(kAccessAtoms));
  EXPECT_FALSE(boost::json::parse(line("json", sample())).as_object().contains("reason")) << "only where there is one";
  for (const AccessAtom& atom : kAccessAtoms)
    EXPECT_TRUE(object.contains({atom.name.data(), atom.name.size()})) << atom.name;
  EXPECT_EQ(object.at("status").as_int64(), 200);
  EXPECT_EQ(object.at("duration_us").as_int64(), 1234);
  EXPECT_EQ(object.at("time").as_string(), "2000-10-10T20:55:36.007Z");
  EXPECT_EQ(object.at("target").as_string(), "/a?b=c");
  EXPECT_EQ(object.at("outcome").as_string(), "ok");
}

TEST(AccessLog, JsonIsValidWhateverTheBytes) {
  const auto target = [](std::string_view bytes) {
    const auto object = boost::json::parse(line("json", filled_by_the_client(bytes))).as_object();
    return std::string(object.at("target").as_string());
  };
  EXPECT_EQ(target("a\"b\\c\n\t\x01\x7f"), "a\"b\\c\n\t\x01\x7f");
  EXPECT_EQ(target("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(target("\xff"), "\xc3\xbf") << "a byte that is no UTF-8 becomes the character of its number";
  EXPECT_EQ(target("\xc3"), "\xc3\x83");
  EXPECT_EQ(target("\xc0\x80"), "\xc3\x80\xc2\x80") << "overlong";
  EXPECT_EQ(target("\xed\xa0\x80"), "\xc3\xad\xc2\xa0\xc2\x80") << "surrogate";
  EXPECT_EQ(target("\xf4\x90\x80\x80").size(), 8u) << "beyond the last character";
  for (int first = 0; first < 256; ++first) {
    for (const int second : {0x00, 0x22, 0x41, 0x5c, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff}) {
      const std::string bytes{static_cast<char>(first), static_cast<char>(second), 'x'};
      EXPECT_TRUE(target(bytes).ends_with('x'));
    }
  }
}

TEST(AccessLog, EachOutcomeHasAWord) {
  for (int outcome = 0; outcome <= static_cast<int>(Outcome::cut); ++outcome)
    EXPECT_FALSE(outcome_text(static_cast<Outcome>(outcome)).empty());
}

TEST(AccessLog, TheProtocolIsShownAsItCame) {
  AccessRecord record = sample();
  for (int minor = 0; minor <= 9; ++minor) {
    record.minor_version = minor;
    EXPECT_EQ(line("$protocol", record), "HTTP/1." + std::to_string(minor));
  }
  record.minor_version = -1;
  EXPECT_EQ(line("$protocol", record), "-");
}

TEST(AccessLog, json_keys_have_the_names_of_a_collector) {
  std::string out;
  AccessFormat::parse("json", log::Keys::ecs)->append(out, sample());
  const auto ecs = boost::json::parse(out).as_object();
  EXPECT_EQ(ecs.at("http.response.status_code"), 200);
  EXPECT_EQ(ecs.at("@timestamp"), "2000-10-10T20:55:36.007Z");
  EXPECT_EQ(ecs.at("serval.duration_us"), 1234);
  EXPECT_EQ(ecs.at("ecs.version"), "8.11.0");
  out.clear();
  AccessFormat::parse("json", log::Keys::datadog)->append(out, sample());
  const auto datadog = boost::json::parse(out).as_object();
  EXPECT_EQ(datadog.at("http.status_code"), 200);
  EXPECT_FALSE(datadog.contains("status"));  // Datadog takes it for the level
  out.clear();
  AccessFormat::parse("$status $method", log::Keys::ecs)->append(out, sample());
  EXPECT_EQ(out, "200 GET\n");
}

}  // namespace
}  // namespace serval::http
