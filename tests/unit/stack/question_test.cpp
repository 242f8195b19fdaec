#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "own_names.hpp"
#include "stack/names.hpp"

namespace serval::stack {
namespace {

using testing::HasSubstr;

TEST(Question, comes_back_as_it_was) {
  const Question asked{"7f00-7f01 r-xp 0 08:01 1 /x/\xff\x01\"y\n", {{0, 1, ~std::uint64_t{0}}, {}, {0x7fff12345678}}};
  const auto fd = write_question(asked);
  ASSERT_TRUE(fd) << fd.error();
  const auto read = read_question(fd->get());
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->maps, asked.maps);
  EXPECT_EQ(read->stacks, asked.stacks);
}

TEST(Question, is_sealed_and_not_inherited) {
  const auto fd = write_question({own_maps(), {{1}}});
  ASSERT_TRUE(fd) << fd.error();
  EXPECT_LT(::write(fd->get(), "x", 1), 0);
  EXPECT_EQ(::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST(Question, of_another_shape_is_an_error) {
  EXPECT_THAT(read_question(-1).error(), HasSubstr("descriptor -1"));
  const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_THAT(read_question(nothing.get()).error(), HasSubstr("not what this serval writes"));
}

TEST(Answer, comes_back_as_it_was) {
  const std::vector<std::vector<std::string>> stacks = {{"main at a/b/c.cpp:1", "\"\\\xff"}, {}, {"0x1"}};
  const auto parsed = parse_answer(format_answer(stacks));
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(*parsed, stacks);
}

TEST(Answer, of_another_shape_is_an_error) {
  for (const char* text : {"", "x", "{}", "[1]", "[[1]]", "[[\"a\"]", "[[\"a\"]]]"}) {
    const auto parsed = parse_answer(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error(), HasSubstr("not what this serval writes"));
  }
}

}  // namespace
}  // namespace serval::stack
