#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "config/config.hpp"
#include "config/load.hpp"

namespace serval::control {

/// Where the control socket of a server is. Server and commands find it by the same function, so they agree without asking each other.
struct Place {
  std::string path;       ///< empty: there is no control socket ("off")
  bool automatic = false; ///< nobody has named it
  std::string folder;     ///< that must be ours alone (private_folder.hpp); empty: whoever made the folder answers for it
};

/// control.socket if it says one; else for the server called `name`, run by `uid`, the first of
///
/// | given                | path                                                                                     |
/// |----------------------|------------------------------------------------------------------------------------------|
/// | $RUNTIME_DIRECTORY   | its first folder/serval.sock (systemd.exec(5), RuntimeDirectory=: several, with colons)  |
/// | $XDG_RUNTIME_DIR     | it/serval-NAME.sock (pam_systemd(8))                                                     |
/// | neither              | /tmp/serval-UID/NAME.sock                                                                |
///
/// A variable that is empty or no absolute path counts as unset, as the XDG Base Directory Specification says. Pure.
Place find_place(const config::Control& control, std::string_view name, const config::Environment& environment, uid_t uid);

}  // namespace serval::control
