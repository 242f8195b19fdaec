#include "http/query.hpp"

#include <algorithm>

#include "http/ascii.hpp"

namespace serval::http {
namespace {

enum class Plus { literal, space };

int hex_value(char digit) { return digit <= '9' ? digit - '0' : ascii::lower(digit) - 'a' + 10; }

std::string decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char byte = text[at];
    if (byte == '%' && text.size() - at > 2 && ascii::is(text[at + 1], ascii::hex) &&
        ascii::is(text[at + 2], ascii::hex)) {
      out.push_back(static_cast<char>(hex_value(text[at + 1]) * 16 + hex_value(text[at + 2])));
      at += 2;
    } else {
      out.push_back(byte == '+' && plus == Plus::space ? ' ' : byte);
    }
  }
  return out;
}

}  // namespace

std::string decode_path(std::string_view path) { return decode(path, Plus::literal); }

std::vector<Parameter> parse_query(std::string_view query) {
  std::vector<Parameter> parameters;
  while (!query.empty()) {
    const std::string_view piece = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(piece.size() + 1, query.size()));
    if (piece.empty()) continue;
    const std::size_t equals = std::min(piece.find('='), piece.size());
    const std::string_view value = piece.substr(std::min(equals + 1, piece.size()));
    parameters.push_back({decode(piece.substr(0, equals), Plus::space), decode(value, Plus::space)});
  }
  return parameters;
}

}  // namespace serval::http
