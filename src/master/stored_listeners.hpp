#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "os/listen.hpp"
#include "os/systemd.hpp"

/// Listeners of ours that the service manager has a copy of: what waits in their queues outlives the master, and is
/// answered by the next one.
namespace serval::master {

/// The name in the store of the socket that was opened for `bind`. That of a unix socket says which file it has, so
/// that one whose file is gone, or is another one by now, is not taken for it.
std::string stored_name(std::string_view bind, const os::Listening& listening);

/// What a master before us has stored for `bind`, taken out of `passed`; none if there is nothing that fits.
std::optional<os::Listening> take_stored(std::vector<os::NamedSocket>& passed, std::string_view bind,
                                         const Address& address);

/// Closes what is left of ours in `passed`, which fits no bind any more, and has the service manager close it; says so.
void drop_stored(std::vector<os::NamedSocket>& passed);

}  // namespace serval::master
