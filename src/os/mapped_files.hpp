#pragma once

#include <sys/types.h>

#include <string>

namespace serval::os {

/// The lines of its /proc/PID/maps (proc(5)) that name a file or the vdso; a MiB of them at most. Empty if the process
/// has ended, even if it is not reaped yet.
std::string mapped_files(pid_t pid);

}  // namespace serval::os
