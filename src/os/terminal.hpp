#pragma once

#include <sys/types.h>

/// The controlling terminal (tty(4), credentials(7)), and signals that it, not a user, sends to the processes that it
/// controls.
namespace serval::os {

/// This process has a controlling terminal. False once that has hung up.
bool has_terminal();

/// Puts a filter before the handlers that are installed for SIGHUP, SIGTTIN and SIGTTOU. TTIN and TTOU that the kernel
/// sends, since a process of our group reads from the terminal or writes to it in the background, do not get through:
/// they are meant to stop a job, and are no command. HUP gets through, and its sender is remembered.
void filter_terminal_signals();

struct Hangup {
  bool by_kernel = false;
  bool by_session_leader = false;  ///< a shell that passes it on to its jobs
};
/// Which of these has sent HUP since the last call; other senders are not in it.
Hangup take_hangup();

/// Whether such a HUP means that the terminal has closed: then a program that was started there ends. `had`: at the
/// start, `has`: now. A shell may also be told to send one (`kill -HUP %1`): then the terminal is still there.
constexpr bool is_end_of_terminal(const Hangup& hangup, bool had, bool has) {
  return had && (hangup.by_kernel || (hangup.by_session_leader && !has));
}

}  // namespace serval::os
