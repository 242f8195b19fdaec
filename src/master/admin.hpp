#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "base/result.hpp"
#include "config/config.hpp"
#include "ipc/packet.hpp"
#include "master/handover.hpp"
#include "master/inheritance.hpp"
#include "master/listeners.hpp"
#include "master/log_files.hpp"
#include "master/processes.hpp"
#include "master/reaper.hpp"
#include "supervisor/backoff.hpp"

namespace serval::master {

/// The process that answers those who watch the server (`serval admin FD`), and the socket that it answers on. It is
/// started anew when it ends, and the socket stays meanwhile. What it asks is answered; that it can do nothing else
/// here, and learns no secret, is why it may talk to a network. One thread, that of the io_context.
class Admin {
 public:
  struct Parts {
    boost::asio::io_context& io;
    Reaper& reaper;
    const Inheritance& inheritance;
  };
  /// `status` is what it is told: JSON; `on_reopened` is called when it has swapped its log.
  Admin(Parts parts, std::function<std::string()> status, std::function<void()> on_reopened);
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;
  ~Admin();

  /// Listens where admin.bind says and starts the process; the log says where. Throws StartupError (cannot_create) if
  /// an address that was chosen cannot be had; without the default one, or another port, the server gets along.
  void begin(const config::Config& config, const LogFiles& logs);
  /// The same with the socket that an earlier version of serval in this process had.
  void resume(const ListenerRecord& record, const config::Config& config, const LogFiles& logs);
  /// An error if an address that `config` chooses for it cannot be had; nothing is changed.
  Result<void> can_use(const config::Config& config) const;
  /// Another configuration is in force: the process starts anew if it is one for it too, and elsewhere if it says so.
  /// Where that cannot be had it stays where it is, and the log says so.
  void use(const config::Config& config, const LogFiles& logs);
  /// The log file behind its descriptor is another one now.
  void reopen(const LogFiles& logs);
  /// It has not swapped its log yet.
  bool reopening() const { return running_ && running_->reopening; }
  /// The server ends.
  void end();

  ListenerRecord record() const { return listener_ ? listener_->record() : ListenerRecord{}; }
  /// Where it listens: "127.0.0.1:9464", "unix:/run/shop/admin.sock"; empty: nowhere.
  std::string address() const { return listener_ ? listener_->address() : std::string(); }

 private:
  struct Running {
    pid_t pid = 0;
    TimePoint since;
    std::optional<Line> line;
    bool reopening = false;
  };

  Result<void> listen(const config::Config& config);
  void listen_where_it_says(const config::Config& config);
  void start();
  Result<void> try_to_start();
  void start_later(Duration delay, const std::string& why);
  void on_packet(const ipc::Packet& packet);
  void on_exit(const os::ChildExit& exit);
  void end_process();

  const Parts parts_;
  const std::function<std::string()> status_;
  const std::function<void()> on_reopened_;
  config::Config config_;
  bool logs_to_file_ = false;
  int log_fd_ = -1;
  std::shared_ptr<Listener> listener_;
  std::optional<Running> running_;
  supervisor::Backoff backoff_;
  std::mt19937_64 random_{std::random_device{}()};
  boost::asio::steady_timer restart_;
};

}  // namespace serval::master
