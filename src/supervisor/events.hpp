#pragma once

#include <sys/types.h>

#include <string>
#include <variant>

/// All that can happen, as the supervisor sees it. `slot` and `generation` name processes; pids appear once a process has one.
namespace serval::supervisor {

/// How a child ended.
struct Exit {
  bool signaled = false;
  int code = 0;      ///< exit code, or the signal's number
  bool core = false;
  std::string text;  ///< for the log: "signal SIGSEGV", "exit code 3"
};

struct Start {};  ///< the shell is set up: begin the first generation

struct MoldStarted {
  int generation;
  pid_t pid;
};
struct MoldNotStarted {
  int generation;
  std::string why;
};
struct MoldLoaded {
  int generation;
};
struct MoldLoadFailed {  ///< the mold says why; its exit follows
  int generation;
  std::string why;
};

struct WorkerForked {
  int slot;
  pid_t pid;
};
struct ForkFailed {
  int slot;
  std::string why;
};
struct WorkerReady {
  int slot;
};
struct WorkerBootFailed {  ///< the worker says why; its exit follows
  int slot;
  std::string why;
};
struct WorkerLeaving {  ///< somebody else sent it TERM or INT: it drains already
  int slot;
};

struct ChildExited {  ///< everything that this process said before has been told
  pid_t pid;
  Exit exit;
};

struct StopRequested {
  std::string signal;
};

struct LogsReopened {};  ///< the master has swapped its own files; now everybody else must
struct MoldReopened {
  int generation;
};
struct WorkerReopened {
  int slot;
};

struct Tick {};  ///< next_wakeup() has come

using Event = std::variant<Start, MoldStarted, MoldNotStarted, MoldLoaded, MoldLoadFailed, WorkerForked, ForkFailed, WorkerReady, WorkerBootFailed,
                           WorkerLeaving, ChildExited, StopRequested, LogsReopened, MoldReopened, WorkerReopened, Tick>;

}  // namespace serval::supervisor
