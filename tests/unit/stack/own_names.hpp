#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "stack/capture.hpp"
#include "stack/names.hpp"

namespace serval::stack {

inline std::string own_maps() {
  std::ifstream file("/proc/self/maps");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The names of frames of this process, or of one that it forked.
inline std::vector<std::string> own_names(const Frames& frames) {
  const std::vector<std::uint64_t> addresses(frames.address.begin(), frames.address.begin() + frames.count);
  return name_frames({own_maps(), {addresses}}).front();
}

}  // namespace serval::stack
