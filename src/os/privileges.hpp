#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.hpp"

/// From root to another user, for good (credentials(7)).
namespace serval::os {

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string user;  ///< its supplementary groups are taken; empty if a bare uid without an account: then none

  friend bool operator==(const Identity&, const Identity&) = default;
};

/// Looks up names or numbers (getpwnam_r(3), getgrnam_r(3)). Empty `group`: the user's own; empty `user`: the caller's
/// uid.
Result<Identity> find_identity(const std::string& user, const std::string& group);

/// What initgroups(3) would take, for a child that must not look anything up.
std::vector<gid_t> supplementary_groups(const Identity& identity);

/// initgroups, setgid, setuid, in this order, since each needs the rights that the next gives away; then verifies that
/// there is no way back. Nothing to do and no error if we are that identity already. Whole process; call before
/// threads.
Result<void> drop_to(const Identity& identity);

/// Both in one, for the settings server.user and server.group; both empty: nothing to do.
Result<void> become_account(const std::string& user, const std::string& group);

}  // namespace serval::os
