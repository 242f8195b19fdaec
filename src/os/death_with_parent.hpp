#pragma once

#include <sys/types.h>

/// Whether a process outlives its parent (prctl(2), PR_SET_PDEATHSIG).
namespace serval::os {

/// From now on the kernel sends SIGKILL to this process when `parent` ends. False if that could not be arranged:
/// `parent` has ended, or this process is not, and within 200 ms does not become, its child. A process from
/// fork_sibling() (os/fork.hpp) becomes the subreaper's child when the middle process ends, shortly after it began.
///
/// "Parent" is the parent's one thread: with more, the end of the one that is the parent would kill us too. Forgotten
/// by children, and when this process changes its user or group: call after privileges were dropped.
bool die_with_parent(pid_t parent);

/// Takes it back.
void outlive_parent();

}  // namespace serval::os
