#pragma once

#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "os/listen.hpp"

/// What is decided about listeners before they are opened.
namespace serval::master {

/// Whether [::]:port must leave IPv4 to another address of the list: one socket for both would be in its way. Pure.
bool only_v6(const Address& address, const std::vector<std::string>& bind);

/// The mode of a unix socket's file if nothing is said of it: every user that the umask lets read may connect. Pure.
mode_t default_mode(unsigned umask);

/// Which users may connect: what the address says, else what follows from server.user, server.group and server.umask.
/// Looks names up; an error names the one that is not known. Only root gives a file away unasked.
Result<os::FileAccess> file_access(const Address& address, const config::Server& server);

}  // namespace serval::master
