#include "master/json_line.hpp"

#include <gtest/gtest.h>

#include "base/log_keys.hpp"

namespace serval::master {
namespace {

/// `message|"key":value,...`, or "none".
std::string read(std::string_view line) {
  const auto read = read_json_line(line, [](std::string_view key) { return log::is_own_key(log::Keys::serval, key); });
  if (!read) return "none";
  std::string text = read->message + "|";
  for (const auto& member : read->members) {
    if (text.back() != '|') text += ',';
    text += member.key + ":" + member.value;
  }
  return text;
}

std::string nested(std::size_t arrays) {
  return R"({"a":)" + std::string(arrays, '[') + std::string(arrays, ']') + "}";
}

TEST(JsonLine, the_members_are_kept_in_their_order_as_they_were_spelt) {
  struct Case {
    std::string_view line, read;
  };
  const Case cases[] = {
      {R"({})", "|"},
      {R"({"msg":"sold","item":7})", "sold|item:7"},
      {R"( {"item" : 7 , "msg" : "sold"} )", "none"},  // what begins with a blank is not what a logger writes
      {R"({"item" : 7 , "msg" : "sold"} )", "sold|item:7"},
      {R"({"price":0.25,"id":12345678901234567890123,"n":-0,"e":1e400,"z":1.10})",
       "|price:0.25,id:12345678901234567890123,n:-0,e:1e400,z:1.10"},
      {R"({"yes":true,"no":false,"nil":null,"text":"x"})", R"(|yes:true,no:false,nil:null,text:"x")"},
      {R"({"a":[1,[2,{}],{"b":[],"c":{"d":"e","f":[{}]}}, "x"],"z":[]})",
       R"(|a:[1,[2,{}],{"b":[],"c":{"d":"e","f":[{}]}},"x"],z:[])"},
      {R"({"":1})", "|:1"},
      {R"({"a":"{","b":["[",1]})", R"(|a:"{",b:["[",1])"},
  };
  for (const Case& c : cases) EXPECT_EQ(read(c.line), c.read) << c.line;
}

TEST(JsonLine, what_the_app_says_is_the_message) {
  EXPECT_EQ(read(R"({"message":"sold"})"), "sold|");
  EXPECT_EQ(read(R"({"message":"longer","msg":"short"})"), R"(short|message:"longer")");
  EXPECT_EQ(read(R"({"msg":{"a":"b"}})"), R"(|app_msg:{"a":"b"})");
  EXPECT_EQ(read(R"({"msg":7,"message":"sold"})"), "sold|app_msg:7");
  EXPECT_EQ(read(R"({"data":{"msg":"inner"}})"), R"(|data:{"msg":"inner"})");
  EXPECT_EQ(read(R"({"msg":"two\nlines"})"), "two\nlines|");  // the log escapes it, as any sentence
}

TEST(JsonLine, a_key_of_servals_gets_a_prefix) {
  EXPECT_EQ(read(R"({"time":1,"level":"error","process":2,"gen":3,"pid":4,"stream":5,"other":6})"),
            R"(|app_time:1,app_level:"error",app_process:2,app_gen:3,app_pid:4,app_stream:5,other:6)");
  EXPECT_EQ(read(R"({"level":1,"app_level":2})"), "|app_app_level:1,app_level:2");
  EXPECT_EQ(read(R"({"a":{"level":1}})"), R"(|a:{"level":1})");
}

TEST(JsonLine, of_a_key_that_comes_twice_the_last_value_counts) {
  EXPECT_EQ(read(R"({"a":1,"b":2,"a":[3]})"), "|a:[3],b:2");
  EXPECT_EQ(read(R"({"msg":"first","msg":"second"})"), "second|");
  EXPECT_EQ(read(R"({"msg":"a text","msg":1})"), "|app_msg:1");
}

TEST(JsonLine, the_line_stays_one_line_and_no_terminal_obeys_it) {
  EXPECT_EQ(read("{\"a\":\"\\n\\u001b[31m\\u0000\x7f\\u007f\"}"), R"(|a:"\n\u001b[31m\u0000\u007f\u007f")");
  EXPECT_EQ(read(R"({"a":{"k\n\"":1}})"), R"(|a:{"k\n\"":1})");
  EXPECT_EQ(read(R"({"a":"\ud83d\ude00 grün"})"), R"(|a:"😀 grün")");
  EXPECT_EQ(read("{\"k\\n\":1}"), "|k\n:1");  // keys of fields are escaped by the log
}

TEST(JsonLine, anything_else_is_no_object) {
  for (const std::string_view line :
       {"", "{", "}", "[]", "7", "null", "\"{}\"", "{}{}", "{} x", "{\"a\":1", "{\"a\"}", "{\"a\":1,}", "{'a':1}",
        "{a:1}", "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":01}", "{\"a\":1}//", "{/**/\"a\":1}", "{\"a\":\"\x01\"}",
        "{\"a\":\"\xff\"}", "{\"a\":\"\\ud800\"}", "{\"a\":tru}", "plain text {\"a\":1}"}) {
    EXPECT_EQ(read(line), "none") << line;
  }
}

TEST(JsonLine, depth_and_keys_are_bounded) {
  EXPECT_NE(read(nested(15)), "none");
  EXPECT_EQ(read(nested(16)), "none");
  std::string keys = "{\"k0\":0";
  for (int i = 1; i < 64; ++i) keys += ",\"k" + std::to_string(i) + "\":0";
  EXPECT_NE(read(keys + "}"), "none");
  EXPECT_EQ(read(keys + ",\"k64\":0}"), "none");
}

}  // namespace
}  // namespace serval::master
