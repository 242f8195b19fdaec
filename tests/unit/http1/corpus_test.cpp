#include <gtest/gtest.h>

#include "feeding.hpp"

// tests/corpus is the one table of requests: here they go to the parser, in tests/behaviour to the whole server.
// valid/NAME.expect is the number of requests answered 200, invalid/NAME.expect the status that the first request gets.

namespace serval::http1::test {
namespace {

void expect_same_however_cut(const Sample& sample, const Reading& whole) {
  EXPECT_EQ(read_pieces(single_bytes(sample.bytes)), whole) << "byte by byte";
  EXPECT_EQ(read_pieces(lines(sample.bytes)), whole) << "line by line";
  std::mt19937 random(20260701);
  constexpr std::size_t short_enough = 1000;
  for (std::size_t cut = 1; sample.bytes.size() <= short_enough && cut < sample.bytes.size(); ++cut) {
    const std::string_view bytes = sample.bytes;
    EXPECT_EQ(read_pieces({bytes.substr(0, cut), bytes.substr(cut)}), whole) << "cut after " << cut << " bytes";
  }
  for (int round = 0; round < 5; ++round)
    EXPECT_EQ(read_pieces(random_pieces(sample.bytes, random)), whole) << "random cuts, round " << round;
}

TEST(Corpus, ValidRequestsAreUnderstoodHoweverTheyAreCut) {
  const std::vector<Sample> samples = load_corpus("valid");
  EXPECT_GE(samples.size(), 60u);
  for (const Sample& sample : samples) {
    SCOPED_TRACE(sample.name);
    const Reading whole = read_whole(sample.bytes);
    EXPECT_EQ(whole.status, 0) << whole.reason;
    EXPECT_EQ(whole.answered(), sample.expected);
    EXPECT_EQ(whole.answered(), static_cast<int>(whole.messages.size())) << "a request is incomplete";
    expect_same_however_cut(sample, whole);
  }
}

TEST(Corpus, InvalidRequestsAreRefusedHoweverTheyAreCut) {
  const std::vector<Sample> samples = load_corpus("invalid");
  EXPECT_GE(samples.size(), 90u);
  for (const Sample& sample : samples) {
    SCOPED_TRACE(sample.name);
    const Reading whole = read_whole(sample.bytes);
    EXPECT_EQ(whole.status, sample.expected) << whole.reason;
    EXPECT_EQ(whole.answered(), 0);
    expect_same_however_cut(sample, whole);
  }
}

TEST(Corpus, ValidRequestsFollowEachOtherOnOneConnection) {
  const std::string get = "GET /before HTTP/1.1\r\nHost: a.example\r\n\r\n";
  for (const Sample& sample : load_corpus("valid")) {
    SCOPED_TRACE(sample.name);
    const Reading alone = read_whole(sample.bytes);
    const Reading after = read_whole(get + sample.bytes);
    EXPECT_EQ(after.status, 0) << after.reason;
    EXPECT_EQ(after.answered(), sample.expected + 1);
    ASSERT_EQ(after.messages.size(), alone.messages.size() + 1);
    EXPECT_TRUE(std::equal(alone.messages.begin(), alone.messages.end(), after.messages.begin() + 1));
    if (!alone.messages.back().keep_alive) continue;
    EXPECT_EQ(read_whole(sample.bytes + get).answered(), sample.expected + 1);
  }
}

TEST(Corpus, WhatIsMissingIsWaitedFor) {
  for (const Sample& sample : load_corpus("valid")) {
    if (sample.bytes.size() > 400) continue;
    SCOPED_TRACE(sample.name);
    for (std::size_t size = 0; size < sample.bytes.size(); ++size) {
      const Reading part = read_whole(std::string_view(sample.bytes).substr(0, size));
      EXPECT_EQ(part.status, 0) << "of the first " << size << " bytes: " << part.reason;
      EXPECT_LE(part.answered(), sample.expected);
    }
  }
}

}  // namespace
}  // namespace serval::http1::test
