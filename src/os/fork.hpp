#pragma once

#include <sys/types.h>

#include <functional>
#include <vector>

#include "base/result.hpp"

/// The one place where serval forks without exec (fork(2)).
namespace serval::os {

/// Orphans among our descendants become our children (prctl(2), PR_SET_CHILD_SUBREAPER). For the master; not inherited
/// by children.
Result<void> become_subreaper();

/// Forks a process that becomes the child of the nearest subreaper above us, our sibling: a double fork, whose middle
/// process ends at once and is reaped here. `child` runs in the new process with the caller's memory, signal mask and
/// dispositions; what it returns is the exit code. It leaves with _exit: no destructors, no atexit handlers, nothing
/// flushed twice. An exception that leaves `child` is exit code 70.
///
/// The caller must have one thread (os/threads.hpp). Returns the new process's pid; waits only for the two forks.
/// Signals are blocked meanwhile: the middle process has our memory, and a handler that reaps could take it from us.
/// The mask is restored on both sides.
Result<pid_t> fork_sibling(const std::function<int()>& child);

}  // namespace serval::os
