#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/load.hpp"

namespace serval::control {

/// Where the control socket of a server may be.
struct SocketLocation {
  std::string path;
  bool automatic = false; ///< it was not named
  /// That must be its user's alone (private_folder.hpp); empty: the folder is its maker's affair.
  std::string folder{};
  uid_t owner = 0;        ///< that user
};

/// Where a server binds its control socket: the first of these that it can have. None: control.socket is "off"; one
/// that is not automatic, if it names a path; else for the server called `name`, run by `uid`,
///
/// | given                | path                                                                                     |
/// |----------------------|------------------------------------------------------------------------------------------|
/// | $RUNTIME_DIRECTORY   | its first folder/serval.sock (systemd.exec(5), RuntimeDirectory=: several, with colons)  |
/// | $XDG_RUNTIME_DIR     | it/serval-NAME.sock (pam_systemd(8))                                                     |
/// | always               | /tmp/serval-UID/NAME.sock                                                                |
///
/// A variable that is empty or no absolute path counts as unset, as the XDG Base Directory Specification says. Pure.
std::vector<SocketLocation> places_to_bind(const config::Control& control, std::string_view name,
                                           const config::Environment& environment, uid_t uid);

/// Where commands look for it, one after the other. The environment of a server is not that of a command: a session
/// ends, cron and sudo have none. After the places above those of
///
/// | of                                  | path                                                                |
/// |-------------------------------------|---------------------------------------------------------------------|
/// | a server in a login session         | /run/user/UID/serval-NAME.sock                                      |
/// | a unit such as serval@.service      | /run/serval-NAME/serval.sock, and the same for `unit`, if not empty |
/// | root, by sudo: the user that typed  | the first and /tmp/serval-UID/NAME.sock, for $SUDO_UID              |
///
/// "*" as a name makes patterns for glob(7). Pure.
std::vector<SocketLocation> places_to_look(const config::Control& control, std::string_view name, std::string_view unit,
                                           const config::Environment& environment, uid_t uid);

}  // namespace serval::control
