// Request targets and queries: "METHOD target". Views stay inside, decoding never grows, and what is decoded can be
// coded again.
#include <string>

#include "fuzz.hpp"
#include "http/query.hpp"
#include "http/target.hpp"

namespace serval::fuzz {
namespace {

std::string encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char byte : text) {
    const auto value = static_cast<unsigned char>(byte);
    out += {'%', digits[value >> 4], digits[value & 15]};
  }
  return out;
}

void check_query(std::string_view query) {
  const std::vector<http::Parameter> parameters = http::parse_query(query);
  std::string again;
  for (const http::Parameter& parameter : parameters) {
    SERVAL_CHECK(parameter.name.size() + parameter.value.size() <= query.size());
    again += encode(parameter.name) + '=' + encode(parameter.value) + '&';
  }
  SERVAL_CHECK(http::parse_query(again) == parameters);
}

void check_path(std::string_view path) {
  const std::string decoded = http::decode_path(path);
  SERVAL_CHECK(decoded.size() <= path.size());
  SERVAL_CHECK(http::decode_path(encode(decoded)) == decoded);
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  check_query(bytes);
  check_path(bytes);
  SERVAL_CHECK(!http::is_authority(bytes, http::Port::required) || http::is_authority(bytes));
  SERVAL_CHECK(!http::is_authority("user@" + std::string(bytes)));

  const std::size_t space = bytes.find(' ');
  http::Request request;
  request.method = bytes.substr(0, space);
  request.target = space == std::string_view::npos ? std::string_view() : bytes.substr(space + 1);
  if (const auto refusal = http::split_target(request)) {
    SERVAL_CHECK(refusal->status >= 400 && !refusal->reason.empty());
    return;
  }
  SERVAL_CHECK(request.path == "/" || is_part_of(request.path, request.target));
  SERVAL_CHECK(!request.path.empty() && request.path.find('?') == std::string_view::npos);
  SERVAL_CHECK(is_part_of(request.query, request.target) && is_part_of(request.host, request.target));
  SERVAL_CHECK(request.host.empty() || http::is_authority(request.host));
  check_query(request.query);
  check_path(request.path);
}

}  // namespace serval::fuzz
