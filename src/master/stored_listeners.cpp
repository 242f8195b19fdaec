#include "master/stored_listeners.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace serval::master {
namespace {

constexpr std::string_view kOurs = "serval ";

/// Whether a socket that has `actual` is what one would get for `wanted`.
bool fits(const Address& wanted, const Address& actual) {
  if (wanted.kind != actual.kind) return false;
  if (wanted.kind != Address::Kind::tcp) return wanted.name == actual.name;
  const std::string host = wanted.host == "localhost" ? "127.0.0.1" : wanted.host;
  return host == actual.host && (wanted.port == 0 || wanted.port == actual.port);
}

}  // namespace

std::string stored_name(std::string_view bind, const os::Listening& listening) {
  std::string name = std::string(kOurs) + os::fd_name(bind);
  if (!listening.socket_file.empty())
    name += " file " + std::to_string(listening.file_device) + "-" + std::to_string(listening.file_inode);
  return name;
}

std::optional<os::Listening> take_stored(std::vector<os::NamedSocket>& passed, std::string_view bind,
                                         const Address& address) {
  os::Listening at_its_place;  // what the name must say now
  if (address.kind == Address::Kind::unix_path) {
    os::own_socket_file(at_its_place, address.name);
    if (at_its_place.socket_file.empty()) return std::nullopt;
  }
  const std::string name = stored_name(bind, at_its_place);
  const auto found = std::find_if(passed.begin(), passed.end(),
                                  [&name](const os::NamedSocket& socket) { return socket.name == name; });
  if (found == passed.end()) return std::nullopt;
  const std::string address_now = os::bound_address(found->fd.get());
  const auto actual = Address::parse(address_now);
  if (!actual || !fits(address, *actual)) return std::nullopt;
  auto adopted = os::adopt(std::move(found->fd), name);
  if (!adopted) return std::nullopt;  // closed by that, and dropped from the store with the others that do not fit
  passed.erase(found);
  adopted->socket_file = at_its_place.socket_file;
  adopted->file_device = at_its_place.file_device;
  adopted->file_inode = at_its_place.file_inode;
  return std::move(*adopted);
}

void drop_stored(std::vector<os::NamedSocket>& passed) {
  std::erase_if(passed, [](const os::NamedSocket& socket) {
    if (!socket.name.starts_with(kOurs)) return false;
    log::info("stored socket fits no server.bind, closing it", {{"name", socket.name}});
    os::forget_fd(socket.name);
    return true;
  });
}

}  // namespace serval::master
