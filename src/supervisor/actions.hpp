#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/log.hpp"
#include "base/time.hpp"
#include "config/config.hpp"

/// All that the supervisor can want done. The shell performs actions in their order; what fails comes back as an event.
namespace serval::supervisor {

struct StartMold {  ///< answered by MoldStarted or MoldNotStarted
  int generation;
};
struct StopMold {  ///< ask it to exit
  int generation;
};
struct ReopenMold {
  int generation;
};
struct ForkWorker {  ///< answered by WorkerForked or ForkFailed
  int slot;
  int number;  ///< of the slot as the app, commands and the log know it
  int generation;
  std::int64_t max_requests = 0;  ///< after so many the worker reports WorkerSpent; 0: never
  std::uint32_t pause = 0;        ///< in which it begins; 0: none
};
struct DrainWorker {  ///< possible as soon as ForkWorker was performed, pid or not; a second one may say that no worker
                      ///< takes over after all
  int slot;
  bool succeeded;  ///< others serve or will serve: its connections go on there
};
struct ReopenWorker {  ///< likewise
  int slot;
};
struct PauseWorker {  ///< likewise; answered by WorkerPaused, unless it drains
  int slot;
  std::uint32_t pause;
};
struct ResumeWorker {
  int slot;
};
struct Kill {
  pid_t pid;
  int signal;
};
struct LookAtWorkers {     ///< answered by LookedAtWorkers
  bool memory = false;     ///< measure it
  Duration silent_for{0};  ///< look at the loop's thread of those that have been silent for so long; 0: of none
};
struct LookAtGenerations {  ///< answered by GenerationFigures
  int old;
  int fresh;
};
struct InspectApp {  ///< answered by AppChanged if the library is another than the mold has loaded; else by nothing
  int generation;
};
struct ReloadEnded {  ///< the last one that began; a request that comes while one is under way gets one more of its own
  int generation;     ///< that serves now
  bool good = false;
  std::string why;       ///< it failed
  std::string remark{};  ///< it went well, but there is something to know; empty: there is not
};
struct ReloadAgain {  ///< one was asked for meanwhile: read the config and send ReloadRequested
  std::string by;
};
struct CheckUpgrade {};  ///< have the new program look at what it would go on with; answered by UpgradeChecked
struct UpgradeRefused {  ///< for the client that asked
  std::string why;
};
struct RetireListeners {};  ///< new connections only come in where the newest generation listens; queued ones are left
                            ///< to the workers that drain next
/// New ones are refused, queued ones can still be accepted by the workers that hold the listeners.
struct RefuseConnections {};

struct LaunchProgram {  ///< answered by ProgramStarted or ProgramNotStarted, later by ProgramReady
  int id;
  std::string name;
  int number;  ///< SERVAL_INSTANCE
  config::Program program;
  int generation = 0;  ///< of a task: whose mold forks it
};
struct SignalProgram {
  int id;
  pid_t pid;
  int signal;
  bool tree = false;  ///< all that it has started besides
};
/// What a program that has ended has started and left behind is told to end, and killed at the deadline; answered by
/// ProgramCleared. Again: with another deadline.
struct EndLeftovers {
  int id;
  pid_t pid;  ///< that the program had
  TimePoint deadline;
};
struct LookAtPrograms {};  ///< at their memory; answered by LookedAtPrograms

struct Notify {  ///< sd_notify(3) state
  std::string state;
};
struct Log {
  log::Level level;
  std::string sentence;
  std::vector<log::Field> fields;  ///< keys are literals
};
struct Finish {  ///< the last action ever
  int exit_code;
};

using Action = std::variant<StartMold, StopMold, ReopenMold, ForkWorker, DrainWorker, ReopenWorker, PauseWorker,
                            ResumeWorker, LaunchProgram, SignalProgram, EndLeftovers, LookAtPrograms, Kill,
                            LookAtWorkers, LookAtGenerations, InspectApp, ReloadEnded, ReloadAgain, CheckUpgrade,
                            UpgradeRefused, RetireListeners, RefuseConnections, Notify, Log, Finish>;

}  // namespace serval::supervisor
