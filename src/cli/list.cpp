#include <glob.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/exit_code.hpp"
#include "cli/bodies.hpp"
#include "cli/server_list.hpp"
#include "control/client.hpp"
#include "control/shown.hpp"
#include "os/socket_path.hpp"
#include "os/titled_processes.hpp"

namespace serval::cli {
namespace {

using Answer = ListedServer::Answer;

/// All are asked at once: so long takes the whole of it at most.
constexpr auto kPatience = std::chrono::seconds(2);
constexpr auto kWholePatience = std::chrono::seconds(3);
/// More than a machine has servers; each is a thread.
constexpr std::size_t kMaxSockets = 256;
constexpr std::string_view kMaster = "serval: master";

std::string user_name(uid_t uid) {
  const passwd* account = ::getpwuid(uid);  // one thread, so far
  return account != nullptr ? account->pw_name : std::to_string(uid);
}

/// The sockets that are where sockets are by default (control/socket_location.hpp), whoever's they are.
std::vector<control::SocketLocation> default_sockets(const config::Environment& environment) {
  std::vector<control::SocketLocation> patterns = control::places_to_bind({}, "*", environment, ::geteuid());
  for (const char* pattern : {"/run/user/*/serval-*.sock", "/tmp/serval-[0-9]*/*.sock", "/run/serval-*/serval.sock"})
    patterns.push_back({.path = pattern, .automatic = true, .folder = {}});
  std::vector<control::SocketLocation> found;
  std::set<std::string> seen;
  for (const control::SocketLocation& pattern : patterns) {
    glob_t matches{};
    if (::glob(pattern.path.c_str(), 0, nullptr, &matches) == 0) {
      for (std::size_t i = 0; i < matches.gl_pathc && found.size() < kMaxSockets; ++i) {
        if (seen.insert(matches.gl_pathv[i]).second) {
          control::SocketLocation place = pattern;
          place.path = matches.gl_pathv[i];
          found.push_back(std::move(place));
        }
      }
    }
    ::globfree(&matches);
  }
  return found;
}

/// In /tmp any user could have made the folder: one that names a user has to be that user's.
void name_owner(control::SocketLocation& place) {
  constexpr std::string_view kInTmp = "/tmp/serval-";
  const std::string folder = place.path.substr(0, place.path.rfind('/'));
  if (!folder.starts_with(kInTmp)) return;
  const char* end = folder.data() + folder.size();
  uid_t uid = 0;
  const auto [stopped, error] = std::from_chars(folder.data() + kInTmp.size(), end, uid);
  if (error != std::errc{} || stopped != end) return;
  place.folder = folder;
  place.owner = uid;
}

/// None: nothing listens there any more, or it is no socket.
std::optional<ListedServer> at_path(const std::string& path) {
  ListedServer server{.socket = path, .answer = Answer::none};
  if (::access(path.c_str(), W_OK) != 0) {
    server.answer = Answer::not_allowed;
    return errno == EACCES ? std::optional(server) : std::nullopt;
  }
  const auto pid = os::listener_at(path);
  if (!pid) return std::nullopt;
  server.pid = *pid;
  return server;
}

/// What a thread fills in. Shared with it: one that a server holds up is left behind.
struct Asking {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<ListedServer> servers;
  std::size_t open = 0;  ///< not finished yet
};

ListedServer ask(const control::SocketLocation& place, ListedServer server) {
  const auto reply = control::call(
      {.where = place, .request = {.command = "status", .arguments = {{"memory", false}}}, .patience = kPatience});
  if (reply && !reply->ok) server.answer = Answer::not_allowed;
  if (reply && reply->ok) {
    server.answer = Answer::given;
    server.status = reply->result;
    if (server.pid <= 0) server.pid = static_cast<pid_t>(control::number_at(server.status, "pid").value_or(0));
  }
  return server;
}

std::vector<ListedServer> ask_all(std::vector<control::SocketLocation> places) {
  const auto asking = std::make_shared<Asking>();
  for (control::SocketLocation& place : places) {
    const auto server = at_path(place.path);
    if (!server) continue;
    name_owner(place);
    std::size_t which = 0;
    {
      const std::lock_guard lock(asking->mutex);
      which = asking->servers.size();
      asking->servers.push_back(*server);
      if (server->answer == Answer::not_allowed) continue;
      ++asking->open;
    }
    std::thread([asking, which, place, server] {
      ListedServer answered = ask(place, *server);
      const std::lock_guard lock(asking->mutex);
      asking->servers[which] = std::move(answered);
      --asking->open;
      asking->changed.notify_one();
    }).detach();
  }
  std::unique_lock lock(asking->mutex);
  asking->changed.wait_for(lock, kWholePatience, [&] { return asking->open == 0; });
  return asking->servers;
}

/// Sockets that are elsewhere, of masters that we may look at.
void add_sockets_of(const std::vector<os::TitledProcess>& masters, std::vector<control::SocketLocation>& places) {
  std::set<std::string> known;
  for (const control::SocketLocation& place : places) known.insert(place.path);
  for (const os::TitledProcess& master : masters) {
    const auto paths = os::own_unix_listeners(master.pid);
    if (!paths) continue;
    for (const std::string& path : *paths) {
      if (places.size() < kMaxSockets && known.insert(path).second)
        places.push_back({.path = path, .automatic = false, .folder = {}});
    }
  }
}

/// One row for each process, by what has answered best; and those by which no socket leads to.
std::vector<ListedServer> merged(std::vector<ListedServer> asked, const std::vector<os::TitledProcess>& masters) {
  std::stable_sort(asked.begin(), asked.end(), [](const auto& a, const auto& b) { return a.answer < b.answer; });
  std::vector<ListedServer> servers;
  std::set<pid_t> seen;
  for (ListedServer& server : asked) {
    const bool is_master = std::any_of(masters.begin(), masters.end(),
                                       [&](const os::TitledProcess& master) { return master.pid == server.pid; });
    // What is silent and no master is no server of ours, and one that we may not ask is found by its process.
    if (server.answer != Answer::given && !is_master) continue;
    if (server.pid > 0 && !seen.insert(server.pid).second) continue;
    servers.push_back(std::move(server));
  }
  for (const os::TitledProcess& master : masters) {
    const bool ours = master.uid == ::geteuid() || ::geteuid() == 0;
    if (seen.insert(master.pid).second)
      servers.push_back({.pid = master.pid, .answer = ours ? Answer::no_socket : Answer::not_allowed});
  }
  return servers;
}

void name_users(std::vector<ListedServer>& servers, const std::vector<os::TitledProcess>& masters) {
  for (ListedServer& server : servers) {
    struct stat status = {};
    if (server.pid > 0 && ::stat(("/proc/" + std::to_string(server.pid)).c_str(), &status) == 0)
      server.user = user_name(status.st_uid);
    for (const os::TitledProcess& master : masters) {
      if (master.pid == server.pid && master.title.size() > kMaster.size() + 1)
        server.name = master.title.substr(kMaster.size() + 1);
    }
  }
}

}  // namespace

int list(const Invocation& invocation) {
  const auto masters = os::processes_titled(kMaster);
  std::vector<control::SocketLocation> places = default_sockets(invocation.sources.environment);
  add_sockets_of(masters, places);
  std::vector<ListedServer> servers = merged(ask_all(std::move(places)), masters);
  name_users(servers, masters);
  std::sort(servers.begin(), servers.end(), [](const auto& a, const auto& b) { return a.pid < b.pid; });
  std::cout << (invocation.json ? boost::json::serialize(list_to_json(servers)) + '\n' : format_list(servers));
  return exit_code::ok;
}

}  // namespace serval::cli
