#include "os/privileges.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <vector>

#include "base/errno_text.hpp"

namespace serval::os {
namespace {

template <class Number>
std::optional<Number> read_number(const std::string& digits) {
  Number number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

/// Calls one of the get..._r functions with a buffer that grows until the entry fits. Returns its error number.
template <class Look>
int with_buffer(std::vector<char>& buffer, Look look) {
  for (buffer.resize(1024);; buffer.resize(buffer.size() * 2)) {
    const int error = look(buffer.data(), buffer.size());
    if (error == EINTR) continue;
    if (error != ERANGE || buffer.size() > (std::size_t{1} << 24)) return error;
  }
}

Result<std::optional<Account>> find_account(const std::string& user) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer;
  const auto uid = read_number<uid_t>(user);
  const int error = with_buffer(buffer, [&](char* memory, std::size_t size) {
    return uid ? ::getpwuid_r(*uid, &entry, memory, size, &found)
               : ::getpwnam_r(user.c_str(), &entry, memory, size, &found);
  });
  if (found != nullptr) return std::optional<Account>(Account{entry.pw_name, entry.pw_uid, entry.pw_gid});
  // The man page lists these for "not found".
  if (error != 0 && error != ENOENT && error != ESRCH && error != EBADF && error != EPERM) {
    return Error{"cannot look up the user \"" + user + "\": " + errno_text(error)};
  }
  return std::optional<Account>();
}

Result<gid_t> find_group(const std::string& group) {
  if (const auto gid = read_number<gid_t>(group)) return *gid;
  ::group entry{};
  ::group* found = nullptr;
  std::vector<char> buffer;
  with_buffer(buffer, [&](char* memory, std::size_t size) {
    return ::getgrnam_r(group.c_str(), &entry, memory, size, &found);
  });
  if (found == nullptr) return Error{"there is no group \"" + group + "\"; see `getent group`, or give its number"};
  return entry.gr_gid;
}

bool is_already(const Identity& identity) {
  uid_t ruid = 0;
  uid_t euid = 0;
  uid_t suid = 0;
  gid_t rgid = 0;
  gid_t egid = 0;
  gid_t sgid = 0;
  if (::getresuid(&ruid, &euid, &suid) != 0 || ::getresgid(&rgid, &egid, &sgid) != 0) return false;
  const bool same_user = ruid == identity.uid && euid == identity.uid && suid == identity.uid;
  return same_user && rgid == identity.gid && egid == identity.gid && sgid == identity.gid;
}

Error cannot(const char* call, const Identity& identity, int error) {
  return Error{"cannot become user " + (identity.user.empty() ? std::to_string(identity.uid) : identity.user) +
               " (uid " + std::to_string(identity.uid) + ", gid " + std::to_string(identity.gid) + "): " + call + ": " +
               errno_text(error) +
               (error == EPERM ? "; only root may, start as root or leave [server] user and group empty" : "")};
}

}  // namespace

Result<Identity> find_identity(const std::string& user, const std::string& group) {
  Identity identity{::getuid(), ::getgid(), {}};
  std::optional<Account> account;
  if (auto found = find_account(user.empty() ? std::to_string(identity.uid) : user)) {
    account = *found;
  } else {
    return Error{found.error()};
  }
  const auto number = read_number<uid_t>(user);
  if (!user.empty() && !account && !number) {
    return Error{"there is no user \"" + user + "\"; see `getent passwd`, or give its number"};
  }
  if (!user.empty() && !account && group.empty()) {
    return Error{"the uid " + user + " has no account to take a group from; give a group too"};
  }
  if (account) identity.user = account->name;
  if (!user.empty()) identity.uid = account ? account->uid : *number;
  if (!user.empty() && account) identity.gid = account->gid;
  if (group.empty()) return identity;
  const auto gid = find_group(group);
  if (!gid) return Error{gid.error()};
  identity.gid = *gid;
  return identity;
}

std::vector<gid_t> supplementary_groups(const Identity& identity) {
  if (identity.user.empty()) return {};
  constexpr std::size_t kMost = 65'536;  // NGROUPS_MAX
  std::vector<gid_t> groups(64);
  for (;;) {
    int count = static_cast<int>(groups.size());
    const bool whole = ::getgrouplist(identity.user.c_str(), identity.gid, groups.data(), &count) >= 0;
    groups.resize(whole ? static_cast<std::size_t>(count) : groups.size() * 2);
    if (whole || groups.size() > kMost) return groups;
  }
}

Result<void> drop_to(const Identity& identity) {
  if (is_already(identity)) return {};
  const int groups =
      identity.user.empty() ? ::setgroups(0, nullptr) : ::initgroups(identity.user.c_str(), identity.gid);
  if (groups != 0) return cannot("initgroups", identity, errno);
  if (::setresgid(identity.gid, identity.gid, identity.gid) != 0) return cannot("setgid", identity, errno);
  if (::setresuid(identity.uid, identity.uid, identity.uid) != 0) return cannot("setuid", identity, errno);
  if (!is_already(identity)) return Error{"the kernel kept other ids than asked for"};
  if (identity.uid != 0 && ::setuid(0) == 0) {
    return Error{"root could be had back after dropping to uid " + std::to_string(identity.uid)};
  }
  // The change took it away (prctl(2)): core dumps, and that our own kind may look at us through /proc. Nothing secret
  // was here before.
  ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  return {};
}

Result<void> become_account(const std::string& user, const std::string& group) {
  if (user.empty() && group.empty()) return {};
  const auto identity = find_identity(user, group);
  if (!identity) return Error{identity.error()};
  return drop_to(*identity);
}

}  // namespace serval::os
