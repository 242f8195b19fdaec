#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "control/status.hpp"
#include "ipc/heritage.hpp"
#include "master/handover.hpp"
#include "os/listen.hpp"
#include "os/systemd.hpp"

namespace serval::master {

os::Listening listening_of(const ListenerRecord& record);
ListenerRecord record_of(const os::Listening& listening, const std::string& bind);

/// A listening socket, opened once and inherited by every mold and worker of the generations that have it. Shared by
/// those; the last one closes it and removes its socket file.
class Listener {
 public:
  /// `bind`: the element of server.bind that it was opened for.
  Listener(std::string bind, os::Listening listening) : bind_(std::move(bind)), listening_(std::move(listening)) {}
  /// One that an earlier version of serval had open in this process.
  explicit Listener(const ListenerRecord& record)
      : bind_(record.bind), listening_(listening_of(record)), stored_as_(record.stored_as) {}
  ListenerRecord record() const;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  const std::string& bind() const { return bind_; }
  /// It is systemd's, which has it too.
  bool passed() const { return bind_.starts_with("fd:"); }
  /// False after refuse().
  bool open() const { return static_cast<bool>(listening_.fd); }
  /// False if the file of a unix socket is gone, or another one is in its place: no client can connect to this listener
  /// any more.
  bool reachable() const { return os::socket_file_is_there(listening_); }
  ipc::Listener inherited() const { return {listening_.fd.get(), listening_.address, listening_.local}; }
  const std::string& address() const { return listening_.address; }
  control::ListenerReading reading() const;

  void use_backlog(int backlog) const;
  /// Which users may connect to it from now on, if it has a file.
  Result<void> give(const os::FileAccess& access) const;
  /// The service manager gets a copy, for the next start. Again: no harm.
  void store();
  bool stored() const { return !stored_as_.empty(); }
  /// New connections are refused from now on; queued ones can still be accepted by the processes that inherited the
  /// socket. Ours is closed. One that systemd has passed is only closed: it would be dead for the server that is
  /// started on it next.
  void refuse();
  /// The server stops: as refuse(), but what is stored stays as it is. Clients that connect from here on wait for the
  /// next start.
  void leave();

 private:
  void take_from_store();

  std::string bind_;
  os::Listening listening_;
  std::string stored_as_;  ///< empty: it is not
};

using Listeners = std::vector<std::shared_ptr<Listener>>;

/// One for each of `config.bind`, in its order: one of `open` that was opened for the same text and can be reached,
/// else one of those that systemd has `passed`, or that a master before us has stored there, which is taken out of
/// there, else a new one, logged with its real port. The service manager gets a copy of each if it keeps such. On an
/// error nothing is different but for what was taken, and for what put_back() puts right.
Result<Listeners> open_listeners(const config::Server& config, const Listeners& open,
                                 std::vector<os::NamedSocket>& passed);

/// What open_listeners() has changed of open ones for another configuration is once more as this one wants it: their
/// backlogs, and the access to their files.
void put_back(const Listeners& listeners, const config::Server& config);

/// Those that still take connections.
std::vector<ipc::Listener> inherited(const Listeners& listeners);

/// What the kernel says of their queues.
std::vector<control::ListenerReading> readings_of(const Listeners& listeners);

/// Refuses those that `kept` does not have.
void refuse_all_but(const Listeners& kept, const Listeners& listeners);

/// Leaves all of them.
void leave_all(const Listeners& listeners);

}  // namespace serval::master
