#pragma once

#include <string>

/// What ps(1) and top(1) show. The kernel reads it from where execve(2) put the argument strings (proc(5),
/// /proc/pid/cmdline).
namespace serval::os {

/// Takes over the memory of argv and environ; both are copied to the heap first, so getenv and argv[i] go on working.
/// Once, early in main, before threads and before any code keeps a pointer that getenv returned. Survives fork, not
/// exec.
void init_title(int argc, char** argv);

/// Shows `title` as the command line, cut to the room that arguments and environment took. Does nothing before
/// init_title. The thread's short name (/proc/pid/comm, 15 bytes) is the title without a leading "serval: ". Call from
/// the main thread.
void set_title(const std::string& title);

}  // namespace serval::os
