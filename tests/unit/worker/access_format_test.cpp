#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

#include "base/access_atoms.hpp"
#include "config/options.hpp"
#include "http/access_log.hpp"

// What `serval check` lets through, a worker writes by: over thousands of formats, sound and broken ones.
namespace serval::worker {
namespace {

std::size_t below(std::size_t limit, std::mt19937& random) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

std::string any_format(std::mt19937& random) {
  constexpr std::string_view kParts[] = {
      "combined", "common", "json", "com", "$",    "$$", "${",   "}",     "$peer", "${status}",   "$statu", " ",
      "\"",       "\\",     "%h",   "\n",  "\x7f", "é",  "\xff", "$PEER", "_",     "$request_id", "$$$$",   "{\"a\":"};
  std::string text;
  for (std::size_t parts = below(6, random); parts > 0; --parts) {
    switch (below(4, random)) {
      case 0: text.push_back(static_cast<char>(below(256, random))); break;
      case 1: text.append("$").append(kAccessAtoms[below(std::size(kAccessAtoms), random)].name); break;
      default: text.append(kParts[below(std::size(kParts), random)]);
    }
  }
  return text;
}

TEST(AccessFormat, WhatIsAcceptedIsWrittenByAndWhatIsNotIsNot) {
  const config::Option& option = *config::find_option("log.access_format");
  http::AccessRecord record;
  record.target = "/\n\"\xff";
  record.status = 200;
  std::mt19937 random(20261127);
  int accepted = 0;
  constexpr int kRounds = 20'000;
  for (int round = 0; round < kRounds; ++round) {
    const std::string text = any_format(random);
    const bool checked = static_cast<bool>(option.check(text));
    const auto format = http::AccessFormat::parse(text);
    ASSERT_EQ(checked, static_cast<bool>(format)) << testing::PrintToString(text);
    if (!format) continue;
    ++accepted;
    std::string line;
    format->append(line, record);
    ASSERT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << testing::PrintToString(text);
    ASSERT_GT(line.size(), 1u) << testing::PrintToString(text);
  }
  EXPECT_GT(accepted, kRounds / 50);
  EXPECT_LT(accepted, kRounds / 2);
}

}  // namespace
}  // namespace serval::worker
