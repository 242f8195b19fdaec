#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"

/// Two servers may have one name, and so one place for their sockets: a command that has found its server by a
/// configuration says by which.
namespace serval::control {

/// A configuration file, twice: as it is called and with all links followed, each absolute. Both empty: none.
struct ConfigFile {
  std::string path;
  std::string real_path;

  friend bool operator==(const ConfigFile&, const ConfigFile&) = default;
};

/// The server that a command has come to.
struct Owner {
  std::string name;
  pid_t pid = 0;
  ConfigFile config;
};

/// Whether a command that means the server of `meant` may be given to this one: one of the two names is the same. A
/// link that leads to another release than at the server's start is the same by its first name. The error says which
/// server this is. Pure.
Result<void> check_meant(const ConfigFile& meant, const Owner& owner);

}  // namespace serval::control
