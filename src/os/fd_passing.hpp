#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>
#include <span>
#include <vector>

#include "os/unique_fd.hpp"

/// Descriptors that travel with a message over a unix socket (unix(7), SCM_RIGHTS). Neither call blocks; a signal does
/// not end them.
namespace serval::os {

/// More than any message has. A process that sends us more has the rest closed by the kernel (MSG_CTRUNC).
inline constexpr std::size_t kMaxPassedFds = 16;

/// sendmsg(2) without SIGPIPE; the control part of `message` is ours. The descriptors stay the caller's. -1: errno says
/// why.
ssize_t send_with_fds(int socket, msghdr message, std::span<const int> fds);

/// recvmsg(2), likewise; `fds` becomes what came along, close-on-exec. `message` keeps its flags (MSG_TRUNC,
/// MSG_CTRUNC).
ssize_t receive_with_fds(int socket, msghdr& message, std::vector<UniqueFd>& fds);

}  // namespace serval::os
