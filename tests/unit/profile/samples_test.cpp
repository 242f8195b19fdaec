#include "profile/samples.hpp"

#include <gmock/gmock.h>

#include <cstring>

namespace serval::profile {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::byte> region(std::size_t size = kMinRegion) { return std::vector<std::byte>(size); }

void put(std::vector<std::byte>& into, std::size_t offset, std::uint64_t value) {
  std::memcpy(into.data() + offset, &value, sizeof value);
}

TEST(SampleWriter, counts_equal_stacks_together) {
  auto memory = region();
  SampleWriter writer(memory, "1-2 r-xp 0 0:0 0 /lib/a.so\n");
  const std::vector<std::uint64_t> one{1, 2, 3}, other{1, 2};
  writer.add(one, 1);
  writer.add(other, 2);
  writer.add(one, 3);
  writer.lose(5);
  writer.miss();
  writer.publish(7, 8);
  const auto samples = read_samples(memory);
  ASSERT_TRUE(samples.has_value());
  EXPECT_EQ(samples->maps, "1-2 r-xp 0 0:0 0 /lib/a.so\n");
  ASSERT_EQ(samples->stacks.size(), 2U);
  EXPECT_THAT(samples->stacks[0].addresses, ElementsAre(1, 2, 3));
  EXPECT_EQ(samples->stacks[0].weight, 4U);
  EXPECT_THAT(samples->stacks[1].addresses, ElementsAre(1, 2));
  EXPECT_EQ(samples->tally.taken, 6U);
  EXPECT_EQ(samples->tally.lost, 5U);
  EXPECT_EQ(samples->tally.silent, 1U);
  EXPECT_EQ(samples->tally.lasted_ns, 7U);
  EXPECT_EQ(samples->tally.cost_ns, 8U);
}

TEST(SampleWriter, loses_what_finds_no_room_and_counts_on_what_is_there) {
  auto memory = region();
  SampleWriter writer(memory, "");
  std::vector<std::uint64_t> stack(kMaxDepth);
  constexpr std::uint64_t kStacks = 2000;  // of 1 KiB each
  for (std::uint64_t i = 0; i < kStacks; ++i) {
    stack[0] = i;
    writer.add(stack, 1);
  }
  stack[0] = 0;
  writer.add(stack, 1);
  EXPECT_GT(writer.tally().lost, 0U);
  EXPECT_EQ(writer.tally().taken + writer.tally().lost, kStacks + 1);
  writer.publish(1, 1);
  const auto samples = read_samples(memory);
  ASSERT_TRUE(samples.has_value());
  EXPECT_EQ(samples->stacks[0].weight, 2U);
}

TEST(SampleWriter, keeps_whole_lines_of_mappings_that_fit) {
  auto memory = region();
  const std::string line(1000, 'x');
  std::string maps;
  while (maps.size() < 2 * kStacksOffset) maps += line + '\n';
  SampleWriter writer(memory, maps);
  const auto samples = read_samples(memory);
  ASSERT_TRUE(samples.has_value());
  EXPECT_LE(samples->maps.size(), kStacksOffset - kMapsOffset);
  EXPECT_GT(samples->maps.size(), kStacksOffset - kMapsOffset - 2 * line.size());
  EXPECT_EQ(samples->maps.back(), '\n');
}

TEST(SampleWriter, leaves_what_it_has_when_it_is_never_finished) {
  auto memory = region();
  SampleWriter writer(memory, "");
  const std::vector<std::uint64_t> stack{1};
  writer.add(stack, 1);
  writer.publish(1, 1);
  writer.add(stack, 1);
  const auto samples = read_samples(memory);
  ASSERT_TRUE(samples.has_value());
  EXPECT_EQ(samples->stacks[0].weight, 2U);
}

TEST(ReadSamples, a_worker_that_never_began_has_none) {
  const auto samples = read_samples(region());
  ASSERT_TRUE(samples.has_value());
  EXPECT_THAT(samples->stacks, IsEmpty());
}

TEST(ReadSamples, refuses_what_cannot_be) {
  auto sound = region();
  SampleWriter writer(sound, "");
  const std::vector<std::uint64_t> stack{1, 2};
  writer.add(stack, 1);
  writer.publish(1, 1);
  struct Case {
    const char* what;
    std::size_t offset;
    std::uint64_t value;
  };
  constexpr std::uint64_t kHuge = ~std::uint64_t{0};
  const Case cases[] = {
      {"another magic", 0, 1},
      {"mappings past their place", 8, kStacksOffset},
      {"huge mappings", 8, kHuge},
      {"stacks past the end", 16, kMinRegion},
      {"huge stacks", 16, kHuge},
      {"half a head", 16, 8},
      {"half a stack", 16, 24},
      {"no weight", kStacksOffset, 0},
      {"a huge weight", kStacksOffset, kHuge},
      {"no depth", kStacksOffset + 8, 0},
      {"a huge depth", kStacksOffset + 8, kHuge},
      {"deeper than there is", kStacksOffset + 8, 3},
  };
  for (const Case& one : cases) {
    auto broken = sound;
    put(broken, one.offset, one.value);
    EXPECT_FALSE(read_samples(broken).has_value()) << one.what;
  }
  EXPECT_TRUE(read_samples(sound).has_value());
  EXPECT_FALSE(read_samples(std::span(sound).first(4096)).has_value());
}

TEST(RegionSize, is_bounded_in_all) {
  EXPECT_EQ(region_size(1), kMaxRegion);
  EXPECT_EQ(region_size(32), kMaxRegion);
  EXPECT_EQ(region_size(64), kMaxAllRegions / 64);
  EXPECT_EQ(region_size(128), kMinRegion);
  EXPECT_LT(region_size(129), kMinRegion);
}

}  // namespace
}  // namespace serval::profile
