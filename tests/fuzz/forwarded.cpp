// X-Forwarded-For, X-Forwarded-Proto and Forwarded, one field on a line, behind a peer (the first line) and its trusted
// networks (the second).
#include <arpa/inet.h>

#include <algorithm>
#include <string>

#include "base/network.hpp"
#include "base/text.hpp"
#include "fuzz.hpp"
#include "http/forwarded.hpp"

namespace serval::fuzz {
namespace {

bool is_address(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1 || inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

std::vector<Network> networks_in(std::string_view line) {
  std::vector<Network> networks;
  for (const std::string_view word : split(line, ' ')) {
    if (auto network = Network::parse(word)) networks.push_back(*network);
  }
  return networks;
}

std::vector<http::Field> fields_in(std::string_view bytes) {
  std::vector<http::Field> fields;
  while (!bytes.empty()) {
    const std::string_view line = take_line(bytes);
    const std::size_t colon = std::min(line.find(':'), line.size());
    fields.push_back({line.substr(0, colon), trim(line.substr(std::min(colon + 1, line.size())))});
  }
  return fields;
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  const http::ClientOrigin direct{take_line(bytes), "http"};
  const std::vector<Network> networks = networks_in(take_line(bytes));
  const auto trusted = [&](std::string_view peer) {
    return std::ranges::any_of(networks, [&](const Network& one) { return one.contains(peer); });
  };
  std::vector<http::Field> fields = fields_in(bytes);

  const http::ClientOrigin origin = http::find_origin(fields, direct, trusted);
  SERVAL_CHECK(origin.scheme == "http" || origin.scheme == "https");
  if (!trusted(direct.address)) SERVAL_CHECK(origin.address == direct.address && origin.scheme == direct.scheme);
  if (origin.address.data() == direct.address.data()) return;
  SERVAL_CHECK(is_part_of(origin.address, bytes));
  SERVAL_CHECK(is_address(std::string(origin.address)));

  // Whatever a client writes in front of what its proxies say changes nothing once one of them is not trusted.
  if (trusted(origin.address)) return;
  // That is, in front of the field that counts: a Forwarded beside an X-Forwarded-For does not, one beside an empty one does.
  const bool listed = std::ranges::any_of(fields, [](const http::Field& field) {
    return http::equal_names(field.name, "x-forwarded-for") && !field.value.empty();
  });
  const std::string_view counts = listed ? "x-forwarded-for" : "forwarded";
  std::string longer;
  for (http::Field& field : fields) {
    if (!http::equal_names(field.name, counts)) continue;
    longer = listed ? "192.0.2.77, " : "for=192.0.2.77, ";
    longer += field.value;
    field.value = longer;
    break;
  }
  SERVAL_CHECK(http::find_origin(fields, direct, trusted).address == origin.address);
}

}  // namespace serval::fuzz
