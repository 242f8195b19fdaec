#pragma once

#include <vector>

#include "config/config.hpp"
#include "ipc/heritage.hpp"
#include "os/listen.hpp"

namespace serval::master {

/// The listening sockets, opened once and inherited by every mold and worker. The destructor closes them and removes socket files.
class Listeners {
 public:
  /// Binds, or takes from systemd what `bind` calls fd:NAME; logs each with the real port. Sockets from systemd that no `bind` names are
  /// closed, with a warning. Throws StartupError (cannot_create).
  explicit Listeners(const config::Server& config);
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;
  ~Listeners();

  std::vector<ipc::Listener> inherited() const;
  /// New connections are refused from now on; queued ones can still be accepted by those who inherited the sockets. Ours are closed.
  void refuse();

 private:
  std::vector<os::Listening> listening_;
};

}  // namespace serval::master
