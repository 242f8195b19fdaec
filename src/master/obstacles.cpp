#include "master/obstacles.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "base/address.hpp"
#include "base/errno_text.hpp"
#include "config/programs.hpp"
#include "master/pidfile.hpp"
#include "master/program_launch.hpp"
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

/// Where the file would be made: at the end of links that lead to nothing, as open(2) does it. They lead somewhere, or
/// stat(2) would have said ELOOP.
std::filesystem::path end_of_links(std::filesystem::path file) {
  std::error_code none;
  while (std::filesystem::is_symlink(file, none)) {
    const auto target = std::filesystem::read_symlink(file, none);
    if (none) break;
    file = file.parent_path() / target;
  }
  return file;
}

Trouble cannot_append_to(const std::string& file) {
  struct stat status = {};
  if (::stat(file.c_str(), &status) != 0)
    return errno == ENOENT ? cannot_create_in(end_of_links(file)) : Trouble(file + ": " + errno_text());
  if (S_ISDIR(status.st_mode)) return file + ": " + errno_text(EISDIR);
  if (S_ISSOCK(status.st_mode)) return file + ": " + errno_text(ENXIO);  // open(2)
  if (::faccessat(AT_FDCWD, file.c_str(), W_OK, AT_EACCESS) == 0) return std::nullopt;
  return file + ": " + errno_text();
}

Trouble cannot_bind_file(const std::string& file) {
  struct stat status = {};
  if (::lstat(file.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) return file + " exists and is no socket";
  return cannot_create_in(file);
}

Trouble cannot_listen(const Address& address) {
  if (address.kind == Address::Kind::unix_path) return cannot_bind_file(address.name);
  if (address.kind != Address::Kind::tcp) return std::nullopt;
  const auto tried = os::bind_and_leave(address);
  return tried ? std::nullopt : Trouble(tried.error());
}

/// It is made beside the old one, which is locked and then replaced.
Trouble cannot_be_pidfile(const std::string& file) {
  if (const auto trouble = cannot_create_in(file)) return trouble;
  if (leads_nowhere(file)) return file + " is a symbolic link that leads nowhere";
  struct stat status = {};
  if (::stat(file.c_str(), &status) != 0) return errno == ENOENT ? std::nullopt : Trouble(file + ": " + errno_text());
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return file + " is no regular file";
  if (const auto trouble = cannot_append_to(file)) return trouble;
  // Its pid is read, too.
  if (::faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) == 0) return std::nullopt;
  return file + ": " + errno_text();
}

Trouble unknown(const std::string& user, const std::string& group) {
  const auto identity = os::find_identity(user, group);
  return identity ? std::nullopt : Trouble(identity.error());
}

Trouble cannot_become(const config::Server& server) {
  const auto identity = os::find_identity(server.user, server.group);
  if (!identity) return identity.error();
  if (::geteuid() == 0 || (identity->uid == ::geteuid() && identity->gid == ::getegid())) return std::nullopt;
  return server.user.empty() ? "only root can become another group" : "only root can become another user";
}

/// One sentence each, which begins with the option.
class Findings {
 public:
  void note(const std::string& option, const Trouble& trouble) {
    if (trouble) found_.push_back(option + ": " + *trouble);
  }
  std::vector<std::string> take() { return std::move(found_); }
  void add(const std::vector<std::string>& more) { found_.insert(found_.end(), more.begin(), more.end()); }

 private:
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> account_obstacles(const config::Server& server) {
  Findings findings;
  const Trouble group = server.group.empty() ? std::nullopt : unknown("", server.group);
  findings.note("server.group", group);
  if (group) {
    // "0": a group that needs no looking up.
    findings.note("server.user", server.user.empty() ? std::nullopt : unknown(server.user, "0"));
  } else if (!server.user.empty() || !server.group.empty()) {
    findings.note(server.user.empty() ? "server.group" : "server.user", cannot_become(server));
  }
  for (const std::string& bind : server.bind) {
    const auto address = Address::parse(bind);
    if (!address || address->kind != Address::Kind::unix_path) continue;
    if (!address->user.empty()) findings.note("server.bind " + bind, unknown(address->user, ""));
    if (!address->group.empty()) findings.note("server.bind " + bind, unknown("", address->group));
  }
  return findings.take();
}

std::vector<std::string> obstacles(const config::Config& config) {
  Findings findings;
  if (config::names_file(config.log.file)) findings.note("log.file", cannot_append_to(config.log.file));
  if (config::names_file(config.log.access)) findings.note("log.access", cannot_append_to(config.log.access));
  if (!config.server.pidfile.empty()) findings.note("server.pidfile", cannot_be_pidfile(config.server.pidfile));
  findings.add(account_obstacles(config.server));
  if (config.has_app()) {
    for (const std::string& bind : config.server.bind) {
      if (const auto address = Address::parse(bind)) findings.note("server.bind " + bind, cannot_listen(*address));
    }
  }
  for (const auto& [name, program] : config.programs) {
    for (const std::string& text : program.listen) {
      if (const auto address = Address::parse(text))
        findings.note(config::program_path(name, "listen") + " " + text, cannot_listen(*address));
    }
    if (const std::string log = program.log_of(0); !log.empty())
      findings.note(config::program_path(name, "log"), cannot_append_to(log));
    const auto traits = traits_of(program, config.server);
    findings.note("programs." + name, traits ? std::nullopt : Trouble(traits.error()));
    if (!traits || program.is_task()) continue;
    const auto command = find_command(program, program_environment(config::process_environment(), program, {}));
    findings.note(config::program_path(name, "command"), command ? std::nullopt : Trouble(command.error()));
  }
  if (config.admin.bind_is_chosen()) {
    const auto address = Address::parse(config.admin.bind);
    if (address) findings.note("admin.bind " + config.admin.bind, cannot_listen(*address));
  }
  const std::string& control = config.control.socket;
  if (config::names_file(control)) findings.note("control.socket", cannot_bind_file(control));
  return findings.take();
}

}  // namespace serval::master
