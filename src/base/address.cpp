#include "base/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "base/units.hpp"

namespace serval {
namespace {

/// A path or an abstract name fits with one byte to spare: the terminator, or the leading NUL (unix(7)).
constexpr std::size_t kMaxName = sizeof(sockaddr_un::sun_path) - 1;

Error wrong(std::string_view text, const std::string& why) {
  return Error{"cannot understand the address \"" + std::string(text) + "\": " + why};
}

bool holds(int family, const std::string& host) {
  in6_addr any{};
  return ::inet_pton(family, host.c_str(), &any) == 1;
}

std::optional<std::uint16_t> read_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return port;
}

/// "mode=0660&user=www-data&group=www-data". Empty if there is nothing to complain about.
std::string read_access(std::string_view words, Address& address) {
  for (const std::string_view word : split(words, '&')) {
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const std::string value(equals == std::string_view::npos ? "" : word.substr(equals + 1));
    const bool again = (name == "mode" && address.mode) || (name == "user" && !address.user.empty()) ||
                       (name == "group" && !address.group.empty());
    if (again) return "\"" + std::string(name) + "\" stands there twice";
    if (name == "mode") {
      const auto mode = parse_mode(value);
      if (!mode || *mode > 0777) return "\"" + value + "\" is no mode; write octal permission bits such as mode=0660";
      address.mode = *mode;
    } else if (name == "user" || name == "group") {
      if (value.empty()) return "the name behind " + std::string(name) + "= is missing";
      (name == "user" ? address.user : address.group) = value;
    } else {
      return "\"" + std::string(word) +
             "\" is not understood; behind the path there may be ?mode=0660&user=NAME&group=NAME";
    }
  }
  return "";
}

Result<Address> parse_unix(std::string_view text, std::string_view name) {
  Address address;
  const bool abstract = name.starts_with('@');
  address.kind = abstract ? Address::Kind::unix_abstract : Address::Kind::unix_path;
  address.name = abstract ? name.substr(1) : name;
  if (const std::size_t mark = address.name.find('?'); mark != std::string::npos) {
    const std::string words = address.name.substr(mark + 1);
    Address with_access = address;
    const std::string complaint = read_access(words, with_access);
    if (abstract && complaint.empty())
      return wrong(text, "an abstract socket has no file, and so no mode, user or group: leave out ?" + words);
    if (!abstract && !complaint.empty()) return wrong(text, complaint);
    if (!abstract) address = std::move(with_access);
    if (!abstract) address.name.resize(mark);
  }
  if (address.name.empty()) {
    return wrong(text, "the name of the unix socket is missing; write unix:/path or unix:@name");
  }
  if (address.name.find('\0') != std::string::npos) return wrong(text, "a NUL byte in the name");
  if (address.name.size() > kMaxName) {
    return wrong(text, "the name has " + std::to_string(address.name.size()) + " bytes and a unix socket's may have " +
                           std::to_string(kMaxName));
  }
  return address;
}

std::string access_text(const Address& address) {
  std::string text;
  const auto add = [&text](const std::string& word) { text += (text.empty() ? "?" : "&") + word; };
  if (address.mode) add("mode=" + format_mode(*address.mode));
  if (!address.user.empty()) add("user=" + address.user);
  if (!address.group.empty()) add("group=" + address.group);
  return text;
}

Result<Address> parse_systemd(std::string_view text, std::string_view name) {
  if (name.empty()) {
    return wrong(text,
                 "the socket's name is missing; write fd:NAME, as FileDescriptorName= in the .socket unit says it");
  }
  Address address;
  address.kind = Address::Kind::systemd;
  address.name = name;
  return address;
}

/// Of these bind(2) would only say "Invalid argument" (ipv6(7); RFC 4291, 2.5.5.2 and 2.5.6).
std::string complaint_about_v6(const std::string& host) {
  const std::string written = host.substr(0, host.find('%'));  // behind it is a scope (RFC 4007, 11)
  in6_addr address{};
  if (::inet_pton(AF_INET6, written.c_str(), &address) != 1) return "\"" + host + "\" is no IPv6 address";
  if (IN6_IS_ADDR_LINKLOCAL(&address)) {
    return "a link-local address means something on one interface only, which cannot be named here; write [::]:PORT "
           "for all interfaces, or another "
           "address of that one";
  }
  if (written != host) {
    return "a scope (%" + host.substr(written.size() + 1) + ") is not understood; write the address without it";
  }
  if (IN6_IS_ADDR_MULTICAST(&address)) {
    return "nobody can connect to a multicast address; write an address of an interface, or [::]:PORT for all";
  }
  if (!IN6_IS_ADDR_V4MAPPED(&address)) return "";
  char text[INET_ADDRSTRLEN] = {};
  ::inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof text);
  return "this is the IPv4 address " + std::string(text) + " as IPv6 sockets show it; write " + text + ":PORT";
}

/// Empty if there is nothing to complain about. `bracketed`: the host stood in [].
std::string complaint_about_host(const std::string& host, bool bracketed) {
  if (bracketed) return complaint_about_v6(host);
  if (in_addr v4{}; ::inet_pton(AF_INET, host.c_str(), &v4) == 1 && IN_MULTICAST(ntohl(v4.s_addr))) {
    return "nobody can connect to a multicast address; write an address of an interface, or 0.0.0.0:PORT for all";
  }
  if (host == "localhost" || holds(AF_INET, host)) return "";
  if (holds(AF_INET6, host)) return "write IPv6 addresses in brackets: [" + host + "]:PORT";
  return "\"" + host + "\" is no IP address; host names other than localhost are not looked up";
}

struct HostAndPort {
  std::string_view host;
  std::string_view port;
  bool bracketed = false;
};

Result<HostAndPort> cut(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return wrong(text, "the closing bracket is missing; write [ADDRESS]:PORT");
    const std::string_view rest = text.substr(bracket + 1);
    if (!rest.starts_with(':')) {
      return wrong(text, "a colon and the port must follow the bracket; write [ADDRESS]:PORT");
    }
    return HostAndPort{text.substr(1, bracket - 1), rest.substr(1), true};
  }
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) return HostAndPort{text.substr(0, colon), text.substr(colon + 1), false};
  if (read_port(text)) return HostAndPort{"", text, false};
  return wrong(text, "the port is missing; write HOST:PORT, unix:/path, unix:@name or fd:NAME");
}

Result<Address> parse_tcp(std::string_view text) {
  const auto parts = cut(text);
  if (!parts) return Error{parts.error()};
  Address address;
  const bool everywhere = !parts->bracketed && (parts->host.empty() || parts->host == "*");
  address.host = everywhere ? "0.0.0.0" : parts->host;
  if (const std::string complaint = complaint_about_host(address.host, parts->bracketed); !complaint.empty()) {
    return wrong(text, complaint);
  }
  const auto port = read_port(parts->port);
  if (!port) return wrong(text, "\"" + std::string(parts->port) + "\" is no port; a port is a number from 0 to 65535");
  address.port = *port;
  return address;
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  if (text.empty()) return wrong(text, "it is empty; write HOST:PORT, unix:/path, unix:@name or fd:NAME");
  if (text.starts_with("unix:")) return parse_unix(text, text.substr(5));
  if (text.starts_with("fd:")) return parse_systemd(text, text.substr(3));
  return parse_tcp(text);
}

Overlap Address::overlap(const Address& other) const {
  const auto full_if = [](bool same) { return same ? Overlap::full : Overlap::none; };
  if (kind != other.kind) return Overlap::none;
  if (kind == Kind::unix_path) {
    return full_if(std::filesystem::path(name).lexically_normal() ==
                   std::filesystem::path(other.name).lexically_normal());
  }
  if (kind != Kind::tcp) return full_if(same_place(other));
  if (port != other.port || port == 0) return Overlap::none;  // with port 0 each gets one of its own
  const auto is_v6 = [](const Address& one) { return one.host.find(':') != std::string::npos; };
  const auto is_wide = [](const Address& one) { return one.host == "0.0.0.0" || one.host == "::"; };
  const auto plain = [](const Address& one) { return one.host == "localhost" ? std::string("127.0.0.1") : one.host; };
  if (is_v6(*this) != is_v6(other)) return host == "::" || other.host == "::" ? Overlap::dual_stack : Overlap::none;
  return full_if(is_wide(*this) || is_wide(other) || plain(*this) == plain(other));
}

std::string Address::text() const {
  switch (kind) {
    case Kind::tcp: return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
    case Kind::unix_path: return "unix:" + name + access_text(*this);
    case Kind::unix_abstract: return "unix:@" + name;
    case Kind::systemd: return "fd:" + name;
  }
  return {};
}

}  // namespace serval
