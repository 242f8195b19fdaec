#include "profile/samples.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"

namespace serval::profile {
namespace {

constexpr std::uint64_t kMagic = 0x31'6c'69'66'6f'72'70'73;  // "sprofil1"

struct Header {
  std::uint64_t magic;
  std::uint64_t maps_size;
  std::uint64_t stacks_size;
  Tally tally;
};
static_assert(std::is_trivially_copyable_v<Header> && sizeof(Header) <= kMapsOffset);

struct StackHead {
  std::uint64_t weight;
  std::uint64_t depth;
};

/// More would be a year of every thread; sums of them do not overflow.
constexpr std::uint64_t kMaxWeight = std::uint64_t{1} << 40;

template <class Plain>
Plain load(std::span<const std::byte> from, std::size_t offset) {
  Plain plain;
  std::memcpy(&plain, from.data() + offset, sizeof plain);
  return plain;
}

template <class Plain>
void store(std::span<std::byte> to, std::size_t offset, const Plain& plain) {
  std::memcpy(to.data() + offset, &plain, sizeof plain);
}

/// FNV-1a over words.
std::uint64_t hash_of(std::span<const std::uint64_t> addresses) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::uint64_t address : addresses) hash = (hash ^ address) * 0x100000001b3;
  return hash;
}

/// Whole lines that fit between the header and the stacks.
std::string_view lines_that_fit(std::string_view maps) {
  constexpr std::size_t kRoom = kStacksOffset - kMapsOffset;
  if (maps.size() <= kRoom) return maps;
  const std::size_t end = maps.rfind('\n', kRoom - 1);
  return maps.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

}  // namespace

SampleWriter::SampleWriter(std::span<std::byte> region, std::string_view maps) : region_(region) {
  SERVAL_CHECK(region.size() >= kMinRegion);
  store(region_, 0, Header{.magic = kMagic, .maps_size = 0, .stacks_size = 0, .tally = {}});
  set_maps(maps);
}

void SampleWriter::set_maps(std::string_view maps) {
  const std::string_view kept = lines_that_fit(maps);
  std::memcpy(region_.data() + kMapsOffset, kept.data(), kept.size());
  Header header = load<Header>(region_, 0);
  header.maps_size = kept.size();
  store(region_, 0, header);
}

std::size_t SampleWriter::find(std::span<const std::uint64_t> addresses, std::uint64_t hash) const {
  const auto [begin, end] = places_.equal_range(hash);
  for (auto place = begin; place != end; ++place) {
    const std::size_t offset = place->second;
    if (load<StackHead>(region_, offset).depth == addresses.size() &&
        std::memcmp(region_.data() + offset + sizeof(StackHead), addresses.data(), addresses.size_bytes()) == 0)
      return offset;
  }
  return 0;
}

void SampleWriter::add(std::span<const std::uint64_t> addresses, std::uint64_t weight) {
  addresses = addresses.first(std::min(addresses.size(), kMaxDepth));
  const std::uint64_t hash = hash_of(addresses);
  if (const std::size_t known = find(addresses, hash); known != 0) {
    StackHead head = load<StackHead>(region_, known);
    head.weight += weight;
    store(region_, known, head);
    tally_.taken += weight;
    return;
  }
  const std::size_t offset = kStacksOffset + used_;
  const std::size_t size = sizeof(StackHead) + addresses.size_bytes();
  if (addresses.empty() || size > region_.size() - offset) return lose(weight);
  store(region_, offset, StackHead{.weight = weight, .depth = addresses.size()});
  std::memcpy(region_.data() + offset + sizeof(StackHead), addresses.data(), addresses.size_bytes());
  used_ += size;
  places_.emplace(hash, offset);
  tally_.taken += weight;
}

void SampleWriter::publish(std::uint64_t lasted_ns, std::uint64_t cost_ns) {
  tally_.lasted_ns = lasted_ns;
  tally_.cost_ns = cost_ns;
  Header header = load<Header>(region_, 0);
  header.stacks_size = used_;
  header.tally = tally_;
  store(region_, 0, header);
}

Result<Samples> read_samples(std::span<const std::byte> region) {
  if (region.size() < kMinRegion) return Error{"the region is too small"};
  const Header header = load<Header>(region, 0);
  if (header.magic == 0) return Samples{};
  if (header.magic != kMagic) return Error{"they are not what this serval writes"};
  if (header.maps_size > kStacksOffset - kMapsOffset) return Error{"the mappings are longer than their place"};
  if (header.stacks_size > region.size() - kStacksOffset) return Error{"the stacks are longer than their place"};
  Samples samples{.tally = header.tally, .maps = {}, .stacks = {}};
  samples.maps.assign(reinterpret_cast<const char*>(region.data()) + kMapsOffset, header.maps_size);
  std::span<const std::byte> left = region.subspan(kStacksOffset, header.stacks_size);
  while (!left.empty()) {
    if (left.size() < sizeof(StackHead)) return Error{"a stack is cut off"};
    const auto head = load<StackHead>(left, 0);
    left = left.subspan(sizeof(StackHead));
    if (head.depth == 0 || head.depth > kMaxDepth) return Error{"a stack has an impossible depth"};
    if (head.depth * sizeof(std::uint64_t) > left.size()) return Error{"a stack is cut off"};
    if (head.weight == 0 || head.weight > kMaxWeight) return Error{"a stack has an impossible weight"};
    RawStack& stack = samples.stacks.emplace_back();
    stack.weight = head.weight;
    stack.addresses.resize(head.depth);
    std::memcpy(stack.addresses.data(), left.data(), head.depth * sizeof(std::uint64_t));
    left = left.subspan(head.depth * sizeof(std::uint64_t));
  }
  return samples;
}

}  // namespace serval::profile
