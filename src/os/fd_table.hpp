#pragma once

namespace serval::os {

/// Makes room for this number of descriptors in this process's table, as far as RLIMIT_NOFILE lets it (getrlimit(2));
/// that it cannot be done is no error. For a process that is about to start threads: once it has some, the kernel lets
/// each doubling of the table wait until no CPU can look at the old one any more (expand_fdtable in Linux' fs/file.c),
/// and the thread that opens the 65th descriptor stands still for tens of milliseconds.
void reserve_fds(int count);

}  // namespace serval::os
