#include <gmock/gmock.h>

#include "profile/profile.hpp"

namespace serval::profile {
namespace {

/// A message's fields in their order: their numbers, and what they hold.
struct Field {
  std::uint64_t number;
  std::uint64_t value = 0;
  std::string bytes{};
};

std::uint64_t take_varint(std::string_view& text) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(text.at(0));
    text.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

std::vector<Field> fields(std::string_view text) {
  std::vector<Field> result;
  while (!text.empty()) {
    const std::uint64_t key = take_varint(text);
    Field field{.number = key >> 3};
    const std::uint64_t value = take_varint(text);
    if ((key & 7) == 0) {
      field.value = value;
    } else {
      EXPECT_EQ(key & 7, 2U);
      field.bytes = text.substr(0, value);
      text.remove_prefix(value);
    }
    result.push_back(std::move(field));
  }
  return result;
}

std::vector<std::uint64_t> numbers(std::string_view text) {
  std::vector<std::uint64_t> result;
  while (!text.empty()) result.push_back(take_varint(text));
  return result;
}

TEST(Pprof, has_samples_whose_locations_lead_to_names) {
  ProfileMaker maker(true, 50, true);
  maker.add({{.function = "burn()", .file = "shop.cpp", .line = 300}, {.function = "main"}}, false, 700);
  const std::string text = pprof(maker.finish(1));
  std::vector<std::string> strings;
  std::vector<std::vector<Field>> samples, locations, functions;
  for (const Field& field : fields(text)) {
    if (field.number == 2) samples.push_back(fields(field.bytes));
    if (field.number == 4) locations.push_back(fields(field.bytes));
    if (field.number == 5) functions.push_back(fields(field.bytes));
    if (field.number == 6) strings.push_back(field.bytes);
    if (field.number == 12) {
      EXPECT_EQ(field.value, 20'000'000U);
    }
  }
  ASSERT_EQ(strings.at(0), "");
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_THAT(numbers(samples[0][1].bytes), testing::ElementsAre(700, 14'000'000'000));
  const auto stack = numbers(samples[0][0].bytes);
  ASSERT_EQ(stack.size(), 2U);
  const auto& innermost = locations.at(stack[0] - 1);
  EXPECT_EQ(innermost[0].value, stack[0]);
  const auto line = fields(innermost[1].bytes);
  EXPECT_EQ(line[1].value, 300U);
  const auto& function = functions.at(line[0].value - 1);
  EXPECT_EQ(strings.at(function[1].value), "burn()");
  EXPECT_EQ(strings.at(function[3].value), "shop.cpp");
}

TEST(Gzip, stores_blocks_with_the_checksum_behind) {
  EXPECT_EQ(gzip("abc"), std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x03\0\xfc\xff"
                                     "abc\xc2\x41\x24\x35\x03\0\0\0",
                                     26));
  const std::string two_blocks = gzip(std::string(70000, 'x'));
  EXPECT_EQ(two_blocks[10], '\0');
  EXPECT_EQ(two_blocks[10 + 5 + 65535], '\1');
  EXPECT_EQ(gzip("").size(), 23U);
}

}  // namespace
}  // namespace serval::profile
