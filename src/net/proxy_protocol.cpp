#include "net/proxy_protocol.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <vector>

namespace serval::net {
namespace {

using namespace std::string_view_literals;
using Step = ProxyHeader::Step;

constexpr std::string_view kTextStart = "PROXY ";
constexpr std::size_t kMaxLine = 107;  // with CRLF, proxy-protocol.txt §2.1
constexpr std::string_view kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kFixedSize = 16;  // signature, version and command, family, length
constexpr std::size_t kMaxSize =
    kFixedSize + 4096;  // addresses and TLVs (a client certificate's names); 65535 would be a gift to attackers

ProxyHeader refused(std::string_view reason) {
  ProxyHeader header;
  header.step = Step::refused;
  header.reason = reason;
  return header;
}

ProxyHeader local(std::size_t consumed) {
  ProxyHeader header;
  header.step = Step::done;
  header.consumed = consumed;
  header.local = true;
  return header;
}

ProxyHeader from(std::string address, std::uint16_t port, std::size_t consumed) {
  ProxyHeader header;
  header.step = Step::done;
  header.consumed = consumed;
  header.address = std::move(address);
  header.port = port;
  return header;
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (text.empty() || leading_zero || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

bool is_address(int family, std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> copy{};
  if (text.size() >= copy.size()) return false;
  std::memcpy(copy.data(), text.data(), text.size());
  in6_addr address{};
  return std::strlen(copy.data()) == text.size() && inet_pton(family, copy.data(), &address) == 1;
}

std::vector<std::string_view> split_at_spaces(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t space = line.find(' '); space != std::string_view::npos; space = line.find(' ')) {
    words.push_back(line.substr(0, space));
    line.remove_prefix(space + 1);
  }
  words.push_back(line);
  return words;
}

/// "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443", or "PROXY UNKNOWN" and anything.
ProxyHeader read_line(std::string_view line, std::size_t consumed) {
  const std::vector<std::string_view> words = split_at_spaces(line);
  if (words[1] == "UNKNOWN") return local(consumed);
  if (words[1] != "TCP4" && words[1] != "TCP6") return refused("a PROXY line for another protocol than TCP4 and TCP6");
  if (words.size() != 6) return refused("a PROXY line with missing or extra words");
  const int family = words[1] == "TCP4" ? AF_INET : AF_INET6;
  if (!is_address(family, words[2]) || !is_address(family, words[3]))
    return refused("a PROXY line with a malformed address");
  const auto port = read_port(words[4]);
  if (!port || !read_port(words[5])) return refused("a PROXY line with a malformed port");
  return from(std::string(words[2]), *port, consumed);
}

ProxyHeader read_text(std::string_view unread) {
  const std::string_view window = unread.substr(0, kMaxLine);
  for (std::size_t at = kTextStart.size(); at < window.size(); ++at) {
    const char byte = window[at];
    if (byte == '\r') {
      if (at + 1 == window.size()) break;
      if (window[at + 1] != '\n') return refused("a CR without LF in the PROXY line");
      return read_line(window.substr(0, at), at + 2);
    }
    if (byte < 0x20 || byte > 0x7e) return refused("a byte that may not stand in a PROXY line");
  }
  if (unread.size() >= kMaxLine) return refused("a PROXY line longer than 107 bytes");
  return {};
}

unsigned byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

/// The first address and the first port of a binary block that holds two of each.
ProxyHeader read_block(int family, std::size_t address_size, std::string_view block, std::size_t consumed) {
  if (block.size() < 2 * address_size + 4) return refused("a PROXY header too short for its addresses");
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, block.data(), text.data(), text.size());
  const unsigned port = byte_at(block, 2 * address_size) << 8 | byte_at(block, 2 * address_size + 1);
  return from(text.data(), static_cast<std::uint16_t>(port), consumed);
}

ProxyHeader read_binary(std::string_view unread) {
  if (unread.size() > 12 && (byte_at(unread, 12) & 0xf0) != 0x20)
    return refused("a PROXY header of another version than 2");
  if (unread.size() > 12 && (byte_at(unread, 12) & 0x0f) > 1) return refused("a PROXY header with an unknown command");
  if (unread.size() < kFixedSize) return {};
  const std::size_t size = kFixedSize + (byte_at(unread, 14) << 8 | byte_at(unread, 15));
  if (size > kMaxSize) return refused("a PROXY header beyond 4 KiB");
  if (unread.size() < size) return {};
  if ((byte_at(unread, 12) & 0x0f) == 0) return local(size);
  const std::string_view block = unread.substr(kFixedSize, size - kFixedSize);
  switch (byte_at(unread, 13)) {
    case 0x00: return local(size);
    case 0x11: return read_block(AF_INET, 4, block, size);
    case 0x21: return read_block(AF_INET6, 16, block, size);
    case 0x31: return from("unix", 0, size);
    default: return refused("a PROXY header for another family than stream sockets");
  }
}

bool may_become(std::string_view unread, std::string_view start) {
  const std::size_t size = std::min(unread.size(), start.size());
  return unread.substr(0, size) == start.substr(0, size);
}

}  // namespace

ProxyHeader read_proxy_header(std::string_view unread) {
  if (may_become(unread, kTextStart)) return unread.size() < kTextStart.size() ? ProxyHeader{} : read_text(unread);
  if (may_become(unread, kSignature)) return unread.size() < kSignature.size() ? ProxyHeader{} : read_binary(unread);
  return refused("the connection does not start with a PROXY header");
}

}  // namespace serval::net
