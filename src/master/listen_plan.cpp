#include "master/listen_plan.hpp"

#include <unistd.h>

#include <algorithm>

#include "os/privileges.hpp"

namespace serval::master {

bool only_v6(const Address& address, const std::vector<std::string>& bind) {
  if (address.host != "::") return false;
  return std::any_of(bind.begin(), bind.end(), [&](const std::string& text) {
    const auto other = Address::parse(text);
    return other && address.overlap(*other) == Overlap::dual_stack;
  });
}

mode_t default_mode(unsigned umask) {
  mode_t mode = 0600;
  if ((umask & 0040) == 0) mode |= 0060;
  if ((umask & 0004) == 0) mode |= 0006;
  return mode;
}

Result<os::FileAccess> file_access(const Address& address, const config::Server& server) {
  if (address.kind != Address::Kind::unix_path) return os::FileAccess{};
  os::FileAccess access{.mode = address.mode.value_or(default_mode(server.umask))};
  const bool becomes_other = ::geteuid() == 0 && (!server.user.empty() || !server.group.empty());
  if (becomes_other) {
    const auto identity = os::find_identity(server.user, server.group);
    if (!identity) return Error{identity.error()};
    access.user = identity->uid;
    access.group = identity->gid;
  }
  if (!address.user.empty()) {
    const auto identity = os::find_identity(address.user, "");
    if (!identity) return Error{identity.error()};
    access.user = identity->uid;
  }
  if (!address.group.empty()) {
    const auto identity = os::find_identity("", address.group);
    if (!identity) return Error{identity.error()};
    access.group = identity->gid;
  }
  return access;
}

}  // namespace serval::master
