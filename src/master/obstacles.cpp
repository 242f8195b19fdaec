#include "master/obstacles.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "base/address.hpp"
#include "base/errno_text.hpp"
#include "master/listen_plan.hpp"
#include "os/listen.hpp"
#include "os/privileges.hpp"

namespace serval::master {
namespace {

using Trouble = std::optional<std::string>;

/// Whether a file could be made there.
Trouble cannot_create_in(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return std::nullopt;
  return "the folder " + folder.string() + ": " + errno_text();
}

Trouble cannot_append_to(const std::string& file) {
  struct stat status = {};
  if (::stat(file.c_str(), &status) != 0) return errno == ENOENT ? cannot_create_in(file) : Trouble(file + ": " + errno_text());
  if (S_ISDIR(status.st_mode)) return file + ": " + errno_text(EISDIR);
  if (::faccessat(AT_FDCWD, file.c_str(), W_OK, AT_EACCESS) == 0) return std::nullopt;
  return file + ": " + errno_text();
}

Trouble cannot_bind_file(const std::string& file) {
  struct stat status = {};
  if (::lstat(file.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) return file + " exists and is no socket";
  return cannot_create_in(file);
}

Trouble cannot_listen(const Address& address, const config::Server& server) {
  if (address.kind == Address::Kind::unix_path) {
    if (const auto access = file_access(address, server); !access) return access.error();
    return cannot_bind_file(address.name);
  }
  if (address.kind != Address::Kind::tcp) return std::nullopt;
  Address any_port = address;  // the port may be taken, by the running server for one
  any_port.port = 0;
  const auto tried = os::bind_and_leave(any_port);
  return tried ? std::nullopt : Trouble(tried.error());
}

Trouble cannot_become(const config::Server& server) {
  if (server.user.empty() && server.group.empty()) return std::nullopt;
  const auto identity = os::find_identity(server.user, server.group);
  if (!identity) return identity.error();
  if (::geteuid() == 0 || (identity->uid == ::geteuid() && identity->gid == ::getegid())) return std::nullopt;
  return "only root can become another user";
}

}  // namespace

std::vector<std::string> obstacles(const config::Config& config) {
  std::vector<std::string> found;
  const auto note = [&found](const std::string& option, const Trouble& trouble) {
    if (trouble) found.push_back(option + ": " + *trouble);
  };
  if (config::names_file(config.log.file)) note("log.file", cannot_append_to(config.log.file));
  if (config::names_file(config.log.access)) note("log.access", cannot_append_to(config.log.access));
  if (!config.server.pidfile.empty()) note("server.pidfile", cannot_create_in(config.server.pidfile));
  note("server.user", cannot_become(config.server));
  for (const std::string& bind : config.server.bind) {
    if (const auto address = Address::parse(bind)) note("server.bind " + bind, cannot_listen(*address, config.server));
  }
  const std::string& control = config.control.socket;
  if (config::names_file(control)) note("control.socket", cannot_bind_file(control));
  return found;
}

}  // namespace serval::master
