#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "ipc/channel.hpp"
#include "master/app_file.hpp"
#include "master/capture.hpp"
#include "master/watch.hpp"

namespace serval::master {

/// A channel that is listened to. A peer that floods it gets its turn, and no more: other events come in between.
class Line {
 public:
  /// `on_packet` for every packet; one of another size counts as an empty one, which is no message. It may close this,
  /// not destroy it.
  Line(boost::asio::io_context& io, ipc::Channel channel, std::function<void(const ipc::Packet&)> on_packet);

  bool send(const ipc::Packet& packet, const std::vector<int>& fds = {}) { return channel_.send(packet, fds); }
  int in_fd() const { return channel_.in_fd(); }
  int out_fd() const { return channel_.out_fd(); }
  /// The last words of a process that has ended: handles what is in the channel, and stops there even if another
  /// process goes on writing.
  void drain();
  /// The peer sees the end of the channel.
  void close();

 private:
  /// False if there is nothing more for now.
  bool read_one();

  ipc::Channel channel_;
  std::function<void(const ipc::Packet&)> on_packet_;
  std::optional<Watch> watch_;
};

/// Both ends of the pipes for one process's standard output and error.
struct OutputPipes {
  UniqueFd output_read, output_write, error_read, error_write;
  static Result<OutputPipes> make();
};

/// Standard output and error of one process.
struct Captures {
  Captures(boost::asio::io_context& io, OutputPipes& pipes, const std::string& process, int generation, pid_t pid);
  /// `writer` without its stream.
  Captures(boost::asio::io_context& io, OutputPipes& pipes, const Writer& writer);
  void drain();

  Capture output;
  Capture error;
};

struct MoldProcess {
  int generation = 0;
  AppFile app_file;  ///< as it was when it was started
  pid_t pid = 0;
  std::optional<Line> line;
  std::optional<Captures> captures;
  std::deque<int> to_fork;         ///< slots whose Fork has not been sent yet: the channel's queue is short
  int unanswered = 0;              ///< Forks that have been sent
  std::vector<std::string> tasks;  ///< that it says it has, until it has loaded
};

struct WorkerProcess {
  int slot = 0;      ///< its seat
  int known_as = 0;  ///< the slot's number for users
  std::string name() const { return "worker[" + std::to_string(known_as) + "]"; }
  int generation = 0;
  std::int64_t max_requests = 0;
  std::uint32_t pause = 0;  ///< in which it begins; 0: none
  bool asked = false;       ///< its mold has got the Fork, and owes an answer while there is no pid
  pid_t pid = 0;            ///< 0: not forked yet
  std::optional<Line> line;
  ipc::Channel theirs;               ///< the worker's end, until it has been sent
  std::optional<OutputPipes> pipes;  ///< until its pid is known
  std::optional<Captures> captures;
};

}  // namespace serval::master
