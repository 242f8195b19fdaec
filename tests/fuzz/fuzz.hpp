#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include "base/check.hpp"

/// What every fuzz target has. One file per target: it defines fuzz_one(), and checks with SERVAL_CHECK what must hold
/// for any bytes; what does not hold aborts with its text and place. The same file is linked with libFuzzer (preset
/// `fuzz`) and with replay.cpp (every other preset).
namespace serval::fuzz {

/// Called with each input, again and again in one process: whatever it keeps between calls must not change what it
/// finds.
void fuzz_one(std::string_view bytes);

/// Random, but always the same for the same input, so that a finding can be repeated.
inline std::mt19937 random_of(std::string_view bytes) {
  std::uint32_t hash = 2166136261u;  // FNV-1a
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 16777619u;
  return std::mt19937(hash);
}

/// Where to cut `size` bytes into pieces: ascending, the last one is `size`.
inline std::vector<std::size_t> random_cuts(std::size_t size, std::mt19937& random) {
  std::vector<std::size_t> cuts;
  const std::size_t longest = 1 + random() % 40;
  for (std::size_t at = 0; at < size;) {
    at += 1 + random() % longest;
    cuts.push_back(at < size ? at : size);
  }
  return cuts;
}

/// Cuts the first line off, without its end.
inline std::string_view take_line(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  const std::string_view line = bytes.substr(0, end);
  bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  return line;
}

/// `part` lies inside of `whole`, or is empty.
inline bool is_part_of(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

/// A byte that could end a line, or tell a terminal something.
inline bool is_control(char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f; }

}  // namespace serval::fuzz
