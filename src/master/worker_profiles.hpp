#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "control/server.hpp"
#include "ipc/messages.hpp"
#include "master/children.hpp"
#include "os/unique_fd.hpp"

namespace serval::master {

/// `serval profile`: has workers sample their threads into a memory file, a region for each, and hands that file to the
/// client. What is in there is never read here. A worker that ends leaves what it has; one that does not say in time
/// that it is done is given up likewise.
class WorkerProfiles {
 public:
  /// How long after the end of its profile a worker may take to say so.
  static constexpr Duration kGrace{3'000};

  /// Borrows all; one thread, that of the io_context.
  WorkerProfiles(boost::asio::io_context& io, const Children& children) : io_(io), children_(children) {}

  struct Settings {
    std::optional<int> slot;  ///< none: all
    Duration length{10'000};
    int hz = 100;
    bool cpu = false;
  };
  /// The result, with the memory file:
  /// ```
  /// cpu, hz, region: bytes of each,
  /// workers [{slot, pid, generation, uid, gid: of its process, why: null or why it has no samples}], in the order of
  /// their regions
  /// ```
  void begin(const Settings& settings, const control::Responder& responder);
  /// A client has gone: its profile ends.
  void look_at_clients();

  void on_ended(int seat, pid_t pid, const ipc::ProfileEnded& message);
  void on_exit(int seat, pid_t pid);

 private:
  struct Worker {
    int seat = 0;
    int known_as = 0;
    int generation = 0;
    pid_t pid = 0;
    uid_t uid = 0;
    gid_t gid = 0;
    bool waited_for = true;
    std::string why{};
  };
  struct Profile {
    Profile(boost::asio::io_context& io, Settings what, const control::Responder& client)
        : settings(what), responder(client), timer(io) {}
    Settings settings;
    control::Responder responder;
    boost::asio::steady_timer timer;
    std::vector<Worker> workers{};
    UniqueFd samples{};
  };

  std::vector<Worker> workers_of(const Settings& settings) const;
  std::string why_not(const Settings& settings, const std::vector<Worker>& workers) const;
  bool is_profiled(pid_t pid) const;
  void order(std::uint32_t number, Profile& profile, std::size_t region);
  void over(std::uint32_t number, int seat, pid_t pid, const std::string& why);
  void settle(std::uint32_t number);

  boost::asio::io_context& io_;
  const Children& children_;
  std::uint32_t last_number_ = 0;
  std::map<std::uint32_t, std::unique_ptr<Profile>> profiles_;
};

}  // namespace serval::master
