#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

/// What the texts of a [programs.NAME] table mean: the option table checks them by these, and the master acts by them.
namespace serval::config {

/// `ready`: how a program says that it can do its work.
struct ReadyRule {
  enum class Kind {
    fd,      ///< it writes a line into the descriptor that SERVAL_READY_FD names
    notify,  ///< it sends READY=1 to NOTIFY_SOCKET (sd_notify(3))
    tcp,     ///< a connection to `address` comes about
    http,    ///< a GET for `path` at `address` is answered with a status below 400
    alive,   ///< it has lived for `alive`
  };
  Kind kind = Kind::alive;
  std::string address{};  ///< as Address::parse() takes it: a port on some host, or a unix socket
  std::string path{};
  Duration alive{0};

  bool operator==(const ReadyRule&) const = default;
};
/// "fd", "notify", "tcp:HOST:PORT", "tcp:unix:/path", "http://HOST:PORT/path", "alive:5s". The error says what would be
/// right.
Result<ReadyRule> parse_ready(std::string_view text);

/// "TERM" or "SIGTERM", one of those that ask a process to end. None: it is no such signal.
std::optional<int> stop_signal_number(std::string_view name);

/// The number of a resource of getrlimit(2): "nofile" for RLIMIT_NOFILE.
std::optional<int> resource_number(std::string_view name);
/// "unlimited", a number, or a size. The error says what would be right.
Result<std::uint64_t> parse_limit(std::string_view text);

/// The NAME of "task:NAME"; the error says what would be right.
Result<std::string> parse_run(std::string_view text);

/// What a program may be called; the error says what would be right.
Result<void> check_program_name(std::string_view name);

}  // namespace serval::config
