#include "os/tcp_counters.hpp"

#include <charconv>
#include <vector>

#include "base/text.hpp"
#include "os/proc_file.hpp"

namespace serval::os {

std::optional<ListenDrops> parse_listen_drops(std::string_view text) {
  std::vector<std::string_view> names;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.starts_with("TcpExt:")) continue;
    const auto words = split(line, ' ');
    if (names.empty()) {
      names.assign(words.begin(), words.end());
      continue;
    }
    const auto number = [&](std::string_view name) -> std::optional<std::uint64_t> {
      for (std::size_t i = 0; i < names.size() && i < words.size(); ++i) {
        std::uint64_t value = 0;
        if (names[i] != name) continue;
        if (std::from_chars(words[i].data(), words[i].data() + words[i].size(), value).ec == std::errc()) return value;
      }
      return std::nullopt;
    };
    const auto overflows = number("ListenOverflows");
    const auto drops = number("ListenDrops");
    if (!overflows || !drops) return std::nullopt;
    return ListenDrops{*overflows, *drops};
  }
  return std::nullopt;
}

std::optional<ListenDrops> listen_drops(const std::string& root) {
  const auto text = proc_text(root + "/proc/net/netstat");
  return text ? parse_listen_drops(*text) : std::nullopt;
}

}  // namespace serval::os
