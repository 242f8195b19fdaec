#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace serval::ipc {

/// What a message (ipc/messages.hpp) looks like on the wire: one plain struct, one packet each (ipc/channel.hpp). Its
/// layout is part of an upgrade, in which molds and workers of one version talk to the master of another.
struct Packet {
  std::uint32_t tag = 0;  ///< which message it is; 0: none
  std::int32_t slot = -1;
  std::int32_t generation = 0;
  std::int32_t pid = 0;
  std::uint32_t text_size = 0;
  std::uint32_t number = 0;
  std::int64_t limit = 0;
  std::int32_t known_as = -1;
  std::int32_t reserved = 0;
  char text[2008] = {};  ///< UTF-8, not terminated; or a report (ipc/reports.hpp)
};
static_assert(sizeof(Packet) == 2048 && std::is_trivially_copyable_v<Packet>);

/// Cuts what does not fit.
Packet with_text(Packet packet, std::string_view text);
/// Never reads past `text`, whatever text_size claims.
std::string text_of(const Packet& packet);

}  // namespace serval::ipc
