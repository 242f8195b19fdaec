#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "supervisor/actions.hpp"
#include "supervisor/heart.hpp"
#include "supervisor/settings.hpp"
#include "supervisor/verdict.hpp"

/// All that can happen, as the supervisor sees it. `slot` and `generation` name processes; pids appear once a process
/// has one.
namespace serval::supervisor {

/// A request that died with its worker.
struct LostRequest {
  std::string method;
  std::string target;
  std::string request_id;
  Duration age{};
};

/// How a child ended.
struct Exit {
  bool signaled = false;
  int code = 0;  ///< exit code, or the signal's number
  bool core = false;
  std::string text;         ///< for the log: "SIGSEGV", "exit code 3"
  bool oom = false;         ///< the kernel has killed a process of ours for want of memory since the last exit
  bool above_hard = false;  ///< the kernel has killed it because it was above the hard ceiling
  std::vector<LostRequest> requests{};  ///< that it was handling
  int waiting = 0;                      ///< requests that waited for one of its threads
  int connections = 0;                  ///< that it had
  int leftovers = 0;                    ///< of a program: processes that it has started and left behind
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
  std::string build{};               ///< of the app's library, as its linker named it; may be empty
  std::vector<std::string> tasks{};  ///< that it has registered
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
struct WorkerLeaving {  ///< another process sent it TERM or INT: it drains already
  int slot;
};

struct WorkerDeaf {  ///< its channel is full, or broken though it lives: it has missed something that it was told
  int slot;
};
struct MoldDeaf {  ///< likewise
  int generation;
};

struct WorkerLeft {  ///< it drains, accepts nothing any more, and answers only the requests it has
  int slot;
};

struct WorkerSpent {  ///< it has answered as many requests as it should
  int slot;
  std::string why = {};  ///< or, if there is a text, it cannot go on for this reason
};
struct RequestTimedOut {  ///< one of its handlers ran past its deadline; the client has its answer
  int slot;
};
struct OnlyStuckLeft {  ///< it drains, and is done but for handlers that ran past their deadlines
  int slot;
};

/// A look at one worker.
struct Sample {
  int slot;
  pid_t pid;
  Pulse pulse;
  std::optional<std::uint64_t> memory;  ///< bytes
};
struct LookedAtWorkers {
  std::vector<Sample> samples;  ///< of all workers whose pids are known
};

struct GenerationFigures {  ///< all that both have answered in their lives
  int old_generation;
  int fresh_generation;
  Figures old;
  Figures fresh;
};

struct AppChanged {
  int generation;
};

struct ProgramStarted {
  int id;
  pid_t pid;
};
struct ProgramNotStarted {
  int id;
  std::string why;
};
struct ProgramReady {
  int id;
};
struct ProgramCleared {  ///< nothing is left of what it had started
  int id;
};
struct LookedAtPrograms {
  struct Sample {
    int id;
    std::uint64_t memory;  ///< bytes, with all that it has started
  };
  std::vector<Sample> samples;
};
/// What a command says to a program; one of a name that is not known does nothing.
struct ProgramOrdered {
  enum class Order {
    start,
    stop,
    replace,
    renew,  ///< what it runs has been rebuilt: also those that boot or have failed begin anew
  } order;
  std::string name;
  std::string by;
};
struct ProgramScaled {
  std::string name;
  int to;
  std::string by;
};

struct ScaleRequested {
  int by;              ///< workers more, or fewer
  std::string signal;  ///< or command
};

struct ReloadRequested {  ///< the config is valid and at hand under the generation that StartMold will name
  std::string by;         ///< signal or command
  std::optional<Settings> settings{};  ///< what the new generation changes of them; they hold from when it serves
};
struct RollbackRequested {             ///< the generation that is kept is to serve again
  std::string by;                      ///< command
  std::optional<Settings> settings{};  ///< that generation's, as of a reload
};
struct ReloadCalledOff {  ///< the one under way is to end, and the generation before it goes on
  std::string by;         ///< command
};
struct ReloadRefused {  ///< one was asked for, but it cannot even begin: the config is not valid
  std::string why;
};
struct RecycleRequested {
  std::optional<int> slot;  ///< none: all
};

struct DrainRequested {  ///< to report not ready, or ready again; requests are served all the same
  bool on;
  std::string by;  ///< command
};

struct PauseRequested {  ///< that no request begins anywhere, or that they go on
  bool on;
  std::string by;  ///< command
};
struct WorkerPaused {  ///< it has none in progress, and begins none until it is told to
  int slot;
  std::uint32_t pause;
};

struct ChildExited {  ///< everything that this process said before has been told
  pid_t pid;
  Exit exit;
};

struct StopRequested {
  std::string signal;  ///< or command
  bool now = false;    ///< cut what is in flight
  int requests = 0;    ///< in progress, for the log
};

struct LogsReopened {};  ///< the master has swapped its own files; now all other processes must
struct MoldReopened {
  int generation;
};
struct WorkerReopened {
  int slot;
};

struct Reported {  ///< a line that the shell has found out later; it is folded like the others
  Log line;
};

struct UpgradeRequested {
  std::string by;  ///< signal or command
};
struct UpgradeChecked {  ///< the new program has said whether it could go on from here
  bool good = false;
  std::string why;
};
struct UpgradeFailed {  ///< it could not be started
  std::string why;
};

struct Tick {};  ///< next_wakeup() has come

using Event =
    std::variant<Start, MoldStarted, MoldNotStarted, MoldLoaded, MoldLoadFailed, WorkerForked, ForkFailed, WorkerReady,
                 WorkerBootFailed, WorkerLeaving, WorkerDeaf, MoldDeaf, WorkerLeft, WorkerSpent, RequestTimedOut,
                 OnlyStuckLeft, LookedAtWorkers, GenerationFigures, AppChanged, ProgramStarted, ProgramNotStarted,
                 ProgramReady, ProgramCleared, LookedAtPrograms, ProgramOrdered, ProgramScaled, ScaleRequested,
                 ReloadRequested, RollbackRequested, ReloadCalledOff, ReloadRefused, RecycleRequested, DrainRequested,
                 PauseRequested, WorkerPaused, ChildExited, StopRequested, LogsReopened, MoldReopened, WorkerReopened,
                 Reported, UpgradeRequested, UpgradeChecked, UpgradeFailed, Tick>;

}  // namespace serval::supervisor
