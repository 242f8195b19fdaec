#include "base/network.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>
#include <optional>

namespace serval {
namespace {

using Bits = std::array<std::uint8_t, 16>;
constexpr Bits kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int kMappedBits = 96;

struct Parsed {
  Bits bits{};
  bool v4 = false;
};

/// inet_pton needs a terminated string, and peers come as views: no allocation here, since every request may ask.
std::optional<Parsed> read_ip(std::string_view text) {
  text = text.substr(0, text.find('%'));
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size()) return std::nullopt;
  text.copy(terminated.data(), text.size());
  Parsed parsed;
  if (::inet_pton(AF_INET6, terminated.data(), parsed.bits.data()) == 1) return parsed;
  parsed.bits = kMappedPrefix;
  parsed.v4 = true;
  if (::inet_pton(AF_INET, terminated.data(), parsed.bits.data() + kMappedBits / 8) == 1) return parsed;
  return std::nullopt;
}

std::uint8_t mask_of_byte(int prefix, std::size_t index) {
  const int bits = prefix - static_cast<int>(index) * 8;
  if (bits >= 8) return 0xff;
  return bits <= 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(0xff << (8 - bits));
}

Error wrong(std::string_view text, const std::string& why) {
  return Error{"cannot understand the network \"" + std::string(text) + "\": " + why};
}

}  // namespace

Result<Network> Network::parse(std::string_view text) {
  Network network;
  if (text == "*") {
    network.kind_ = Kind::everybody;
    return network;
  }
  if (text == "unix") {
    network.kind_ = Kind::unix_socket;
    return network;
  }
  const std::size_t slash = text.find('/');
  const auto ip = text.find('%') == std::string_view::npos ? read_ip(text.substr(0, slash)) : std::nullopt;
  if (!ip) return wrong(text, "write an address (192.0.2.7, ::1), a network (10.0.0.0/8, fd00::/8), unix or *");
  network.bits_ = ip->bits;
  if (slash == std::string_view::npos) return network;

  const std::string_view digits = text.substr(slash + 1);
  const int longest = ip->v4 ? 32 : 128;
  int prefix = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.starts_with('-') || prefix > longest) {
    return wrong(text, "what follows the slash must be a number from 0 to " + std::to_string(longest));
  }
  network.prefix_ = ip->v4 ? prefix + kMappedBits : prefix;
  for (std::size_t i = 0; i < network.bits_.size(); ++i) {
    if ((network.bits_[i] & ~mask_of_byte(network.prefix_, i)) != 0) {
      return wrong(text, "the address has bits beyond /" + std::string(digits) +
                             "; for one host leave out the slash, for a network set them to 0");
    }
  }
  return network;
}

bool Network::contains(std::string_view peer) const {
  if (kind_ == Kind::everybody) return true;
  if (kind_ == Kind::unix_socket || peer == "unix") return kind_ == Kind::unix_socket && peer == "unix";
  const auto ip = read_ip(peer);
  if (!ip) return false;
  for (std::size_t i = 0; i < bits_.size(); ++i) {
    const std::uint8_t mask = mask_of_byte(prefix_, i);
    if ((ip->bits[i] & mask) != bits_[i]) return false;
  }
  return true;
}

}  // namespace serval
