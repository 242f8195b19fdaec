#pragma once

#include <sys/types.h>

/// Which of our children are programs that we have started ourselves (os/spawn.hpp), and not processes that have become
/// our children because their parents ended. Kept where children begin and where they are reaped, so that no other
/// place has to remember them. Any thread.
namespace serval::os {

void remember_spawned(pid_t pid);
void forget_spawned(pid_t pid);
bool is_spawned(pid_t pid);

}  // namespace serval::os
