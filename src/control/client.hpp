#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "control/socket_location.hpp"
#include "control/protocol.hpp"
#include "os/unique_fd.hpp"

namespace serval::control {

/// One command to a running server.
struct Call {
  SocketLocation where;
  Request request;
  /// Longest silence that is waited through: for the connection, for each line.
  Duration patience = std::chrono::seconds(10);
  std::function<void(UniqueFd file)> on_file = [](auto) {};  ///< that comes with the reply
  std::function<void(std::string_view text)> on_progress = [](auto) {};  ///< escape the text before a terminal sees it
};

/// Connects, sends, waits for the reply. Blocks; any thread. The error, one sentence, says that there is no server to
/// talk to, or none that answers: nothing listens there, the folder or socket is not ours to use, it stays silent, it
/// ended before it answered, it is no serval.
Result<Reply> call(const Call& call);

}  // namespace serval::control
