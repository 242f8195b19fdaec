#include "app/one_line.hpp"

namespace serval::app {

std::string one_line(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  std::string line;
  line.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      line += c;
      continue;
    }
    line += "\\x";
    line += kHex[byte >> 4];
    line += kHex[byte & 15];
  }
  return line;
}

}  // namespace serval::app
