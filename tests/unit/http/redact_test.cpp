#include "http/redact.hpp"

#include <gtest/gtest.h>

namespace serval::http {
namespace {

TEST(Redactor, WhatIsShown) {
  const Redactor redactor({"token", "Pass_Word", "api key"});
  const struct {
    std::string_view text;
    std::string_view shown;
  } rows[] = {
      {"", ""},
      {"/", "/"},
      {"/token=1", "/token=1"},
      {"/?token", "/?token"},
      {"/?token=", "/?token=[redacted]"},
      {"/?token=abc", "/?token=[redacted]"},
      {"/?a=1&token=abc&b=2", "/?a=1&token=[redacted]&b=2"},
      {"/?token=a&token=b", "/?token=[redacted]&token=[redacted]"},
      {"/?TOKEN=abc&pass_word=x", "/?TOKEN=[redacted]&pass_word=[redacted]"},
      {"/?to%6Ben=abc", "/?to%6Ben=[redacted]"},
      {"/?tokens=abc&atoken=1", "/?tokens=abc&atoken=1"},
      {"/?a=1;token=abc;b=2", "/?a=1;token=[redacted]"},
      {"/?token=a;b=2&c=3", "/?token=[redacted]&c=3"},
      {"/?token=a=b==&c", "/?token=[redacted]&c"},
      {"/?next=/x?token=abc", "/?next=/x?token=[redacted]"},
      {"/?&&token=a", "/?&&token=[redacted]"},
      {"/?token=a#b", "/?token=[redacted]"},
      {"https://shop/?token=abc", "https://shop/?token=[redacted]"},
      {"GET /?token=a b HTTP/9.9", "GET /?token=[redacted] HTTP/9.9"},
      {"/?api+key=1&api%20key=2", "/?api+key=[redacted]&api%20key=[redacted]"},
      {"/?%=%&token=%", "/?%=%&token=[redacted]"},
  };
  std::string memory = "of another request";
  for (const auto& row : rows) EXPECT_EQ(redactor.shown(row.text, memory), row.shown) << row.text;
}

TEST(Redactor, WithoutNamesNothingIsCopied) {
  std::string memory;
  const std::string_view text = "/?token=abc";
  EXPECT_EQ(Redactor().shown(text, memory).data(), text.data());
  EXPECT_FALSE(Redactor().on());
  EXPECT_EQ(Redactor({"other"}).shown(text, memory).data(), text.data());
}

}  // namespace
}  // namespace serval::http
