#include "http/query.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace serval::http {

std::string decode_path(std::string_view path) { return percent_decoded(path); }

std::string decode_form(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decoded(spaced);
}

std::vector<Parameter> parse_query(std::string_view query) {
  std::vector<Parameter> parameters;
  while (!query.empty()) {
    const std::string_view piece = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(piece.size() + 1, query.size()));
    if (piece.empty()) continue;
    const std::size_t equals = std::min(piece.find('='), piece.size());
    const std::string_view value = piece.substr(std::min(equals + 1, piece.size()));
    parameters.push_back({decode_form(piece.substr(0, equals)), decode_form(value)});
  }
  return parameters;
}

}  // namespace serval::http
