#include "ipc/spans.hpp"

#include <unistd.h>

#include <gtest/gtest.h>

#include <string>

namespace serval::ipc {
namespace {

TEST(Spans, TextsComeBackAndAreCut) {
  Span span;
  span.put(Span::method, "GET");
  span.put(Span::path, std::string(5000, 'p'));
  span.put(Span::query, "");
  span.put(Span::host, "example.org");
  EXPECT_EQ(span.get(Span::method), "GET");
  EXPECT_EQ(span.get(Span::path), std::string(480, 'p'));
  EXPECT_EQ(span.get(Span::query), "");
  EXPECT_EQ(span.get(Span::host), "example.org");
  EXPECT_EQ(span.get(Span::user_agent), "");
}

TEST(Spans, NeverReadsBeyondItsEndWhateverTheSizesSay) {
  Span span;
  span.sizes.fill(0xffff);
  EXPECT_EQ(span.get(Span::method).size(), sizeof span.text);
  EXPECT_EQ(span.get(Span::path).size(), 0U);
}

TEST(Spans, GoThroughThePipeOneByOne) {
  auto pipe = make_span_pipe();
  ASSERT_TRUE(pipe) << pipe.error();
  EXPECT_FALSE(receive_span(pipe->read_end.get()));
  for (int i = 0; i < 3; ++i) {
    Span span;
    span.slot = i;
    ASSERT_TRUE(send_span(pipe->write_end.get(), span));
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(receive_span(pipe->read_end.get())->slot, i);
}

TEST(Spans, WhatIsNoneIsSkipped) {
  auto pipe = make_span_pipe();
  ASSERT_TRUE(pipe);
  ASSERT_EQ(::write(pipe->write_end.get(), "short", 5), 5);
  Span odd;
  odd.magic = 7;
  ASSERT_TRUE(send_span(pipe->write_end.get(), odd));
  Span good;
  good.slot = 5;
  ASSERT_TRUE(send_span(pipe->write_end.get(), good));
  EXPECT_EQ(receive_span(pipe->read_end.get())->slot, 5);
  EXPECT_FALSE(receive_span(pipe->read_end.get()));
}

TEST(Spans, AFullPipeDropsAndDoesNotWait) {
  auto pipe = make_span_pipe();
  ASSERT_TRUE(pipe);
  int sent = 0;
  while (sent < 100'000 && send_span(pipe->write_end.get(), Span{})) ++sent;
  EXPECT_GE(sent, 16);
  EXPECT_LT(sent, 100'000);
}

}  // namespace
}  // namespace serval::ipc
