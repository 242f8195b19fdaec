#include <array>
#include <map>

#include "profile/profile.hpp"

/// https://github.com/google/pprof/blob/main/proto/profile.proto: its few fields that a profile of named stacks needs,
/// in protobuf's wire format (https://protobuf.dev/programming-guides/encoding/).
namespace serval::profile {
namespace {

class Message {
 public:
  Message& number(unsigned field, std::uint64_t value) {
    if (value == 0) return *this;  // a field's default is left out
    varint(field << 3);
    varint(value);
    return *this;
  }
  Message& bytes(unsigned field, std::string_view value) {
    varint(field << 3 | 2);
    varint(value.size());
    text_ += value;
    return *this;
  }
  Message& message(unsigned field, const Message& value) { return bytes(field, value.text_); }
  Message& packed(unsigned field, const std::vector<std::uint64_t>& values) {
    Message inner;
    for (const std::uint64_t value : values) inner.varint(value);
    return message(field, inner);
  }
  std::string take() { return std::move(text_); }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) text_ += static_cast<char>(value | 0x80);
    text_ += static_cast<char>(value);
  }
  std::string text_;
};

/// The table of strings; the first is empty.
class Strings {
 public:
  std::uint64_t number_of(const std::string& text) {
    const auto [place, is_new] = numbers_.try_emplace(text, order_.size());
    if (is_new) order_.push_back(text);
    return place->second;
  }
  const std::vector<std::string>& all() const { return order_; }

 private:
  std::vector<std::string> order_{""};
  std::map<std::string, std::uint64_t> numbers_{{"", 0}};
};

Message value_type(Strings& strings, const char* type, const char* unit) {
  return Message().number(1, strings.number_of(type)).number(2, strings.number_of(unit));
}

std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t rest = i;
    for (int bit = 0; bit < 8; ++bit) rest = (rest & 1) != 0 ? 0xedb88320u ^ (rest >> 1) : rest >> 1;
    table[i] = rest;
  }
  return table;
}

void append_little_endian(std::string& text, std::uint32_t value, int size) {
  for (int i = 0; i < size; ++i) text += static_cast<char>(value >> (8 * i));
}

}  // namespace

/// A location and a function for each frame, with the frame's number + 1, since 0 is none.
std::string pprof(const Profile& profile) {
  Strings strings;
  Message whole;
  const char* const kind = profile.cpu ? "cpu" : "wall";
  const std::uint64_t period = 1'000'000'000u / static_cast<std::uint64_t>(profile.hz > 0 ? profile.hz : 1);
  whole.message(1, value_type(strings, "samples", "count")).message(1, value_type(strings, kind, "nanoseconds"));
  for (const Stack& stack : profile.stacks) {
    std::vector<std::uint64_t> locations;  // innermost first
    for (auto frame = stack.frames.rbegin(); frame != stack.frames.rend(); ++frame) locations.push_back(*frame + 1);
    whole.message(2, Message().packed(1, locations).packed(2, {stack.weight, stack.weight * period}));
  }
  for (std::size_t i = 0; i < profile.frames.size(); ++i) {
    const Frame& frame = profile.frames[i];
    const Message line = Message().number(1, i + 1).number(2, static_cast<std::uint64_t>(frame.line));
    whole.message(4, Message().number(1, i + 1).message(4, line));
    const std::uint64_t name = strings.number_of(frame.function);
    whole.message(5,
                  Message().number(1, i + 1).number(2, name).number(3, name).number(4, strings.number_of(frame.file)));
  }
  const Message period_type = value_type(strings, kind, "nanoseconds");
  for (const std::string& text : strings.all()) whole.bytes(6, text);
  return whole.number(10, profile.tally.lasted_ns).message(11, period_type).number(12, period).take();
}

std::string gzip(std::string_view bytes) {
  constexpr std::size_t kMaxBlock = 65535;
  static const std::array<std::uint32_t, 256> table = crc_table();
  std::uint32_t crc = 0xffffffffu;
  for (const unsigned char byte : bytes) crc = table[(crc ^ byte) & 0xff] ^ (crc >> 8);
  std::string text("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);  // deflate; no name, no time, an unknown system
  std::string_view left = bytes;
  do {
    const std::string_view block = left.substr(0, kMaxBlock);
    left.remove_prefix(block.size());
    text += left.empty() ? '\1' : '\0';  // whether it is the last one
    append_little_endian(text, static_cast<std::uint32_t>(block.size()), 2);
    append_little_endian(text, ~static_cast<std::uint32_t>(block.size()), 2);
    text += block;
  } while (!left.empty());
  append_little_endian(text, ~crc, 4);
  append_little_endian(text, static_cast<std::uint32_t>(bytes.size()), 4);
  return text;
}

}  // namespace serval::profile
