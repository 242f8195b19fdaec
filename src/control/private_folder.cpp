#include "control/private_folder.hpp"

#include <sys/stat.h>

#include <cerrno>

#include "base/errno_text.hpp"
#include "base/units.hpp"

namespace serval::control {

Result<void> make_private_folder(const std::string& path, uid_t owner) {
  // An umask only takes bits away, and none of these may be missing.
  if (::mkdir(path.c_str(), 0700) == 0) {
    if (::chmod(path.c_str(), 0700) != 0) {
      return Error{"cannot set the mode of the folder " + path + ": " + errno_text()};
    }
  } else if (errno != EEXIST) {
    return Error{"cannot make the folder " + path + ": " + errno_text()};
  }
  return check_private_folder(path, owner);
}

Result<void> check_private_folder(const std::string& path, uid_t owner) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return Error{"cannot look at the folder " + path + ": " + errno_text()};
  }
  if (!S_ISDIR(status.st_mode)) {
    return Error{path + " is not a directory; it may have been planted to intercept commands"};
  }
  if (status.st_uid != owner) {
    return Error{"the folder " + path + " belongs to user " + std::to_string(status.st_uid) + ", not to user " +
                 std::to_string(owner) + " whose name it bears"};
  }
  if ((status.st_mode & 0077) != 0) {
    return Error{"the folder " + path + " has mode " + format_mode(status.st_mode & 07777) +
                 " and lets others in; make it 0700"};
  }
  return {};
}

}  // namespace serval::control
