#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "ipc/packet.hpp"
#include "ipc/reports.hpp"

/// Everything that master, mold, workers and the admin process say to each other: one list of messages for each
/// direction. A tag is the message's number on the wire and never changes. The app lives in the mold and the workers,
/// so the master treats every packet as coming from outside.
namespace serval::ipc {

// --- to a mold

/// With descriptors: the worker's two ends of its channel (in, out), then its standard output and error, if captured.
struct Fork {
  static constexpr std::uint32_t kTag = 5;
  std::int32_t slot = -1;  ///< the worker's seat
  std::int32_t generation = 0;
  std::uint32_t pause = 0;        ///< in which the worker begins; 0: none
  std::int64_t max_requests = 0;  ///< after which the worker wants to be replaced; 0: never
  std::int32_t known_as = -1;     ///< the slot's number as the app, commands and the log know it
};

/// With descriptors: a memory file with the TaskOrder (ipc/task_order.hpp); the socket through which the child is told
/// to begin, and whose end means that it is not wanted; then what the order says. Answered by TaskForked or
/// TaskForkFailed.
struct ForkTask {
  static constexpr std::uint32_t kTag = 28;
  std::uint32_t id = 0;  ///< the supervisor's, of the instance
};

// --- to a mold or a worker

/// With descriptors: log file, access log (each only if it is a file). Answered by Reopened.
struct Reopen {
  static constexpr std::uint32_t kTag = 15;
};

// --- to the admin process, which is sent Reopen as well, with its log file

/// With a descriptor: a memory file (os/memory_file.hpp), the JSON of control/status.
struct Status {
  static constexpr std::uint32_t kTag = 26;
  std::uint32_t question = 0;  ///< the AskStatus's
};

// --- from the admin process, as is Reopened

/// Answer with Status.
struct AskStatus {
  static constexpr std::uint32_t kTag = 27;
  std::uint32_t question = 0;
};

// --- from a mold

/// Tasks of the library, a line for each; before Loaded, as many of these as it takes.
struct Registers {
  static constexpr std::uint32_t kTag = 31;
  std::string tasks;
};

/// The app is preloaded; Fork may follow.
struct Loaded {
  static constexpr std::uint32_t kTag = 1;
  std::string build_id;  ///< of the library; or empty
};

/// The mold exits next.
struct LoadFailed {
  static constexpr std::uint32_t kTag = 2;
  std::string why;
};

/// The worker that was asked for by Fork lives.
struct Forked {
  static constexpr std::uint32_t kTag = 3;
  std::int32_t slot = -1;
  std::int32_t pid = 0;
};

struct ForkFailed {
  static constexpr std::uint32_t kTag = 4;
  std::int32_t slot = -1;
  std::string why;
};

struct TaskForked {
  static constexpr std::uint32_t kTag = 29;
  std::uint32_t id = 0;
  std::int32_t pid = 0;
};

struct TaskForkFailed {
  static constexpr std::uint32_t kTag = 30;
  std::uint32_t id = 0;
  std::string why;
};

// --- from a mold or a worker

/// The log descriptors have been swapped.
struct Reopened {
  static constexpr std::uint32_t kTag = 8;
};

// --- to a worker

/// Answer what is accepted or queued, then exit 0. May come a second time without the flag that the first one had.
struct Drain {
  static constexpr std::uint32_t kTag = 14;
  /// Connections move through the lobby (ipc/lobby.hpp) to workers that serve or will serve.
  bool others_take_over = false;
};

/// Let no request begin until Resume; answer with Paused once none is in progress.
struct Pause {
  static constexpr std::uint32_t kTag = 16;
  std::uint32_t number = 0;
};

struct Resume {
  static constexpr std::uint32_t kTag = 17;
};

/// Answer with a Stack for each thread, then with StacksEnd.
struct AskStacks {
  static constexpr std::uint32_t kTag = 19;
  std::uint32_t question = 0;
};

/// Sample the app's threads, into a region of the memory file that comes along (profile/samples.hpp); answer with
/// ProfileEnded.
struct TakeProfile {
  static constexpr std::uint32_t kTag = 23;
  std::uint32_t number = 0;
  ProfileOrder order;
};

/// End it before its time.
struct EndProfile {
  static constexpr std::uint32_t kTag = 24;
  std::uint32_t number = 0;
};

// --- from a worker

/// worker_start returned and the app says it is ready.
struct Ready {
  static constexpr std::uint32_t kTag = 6;
};

/// The worker exits next.
struct BootFailed {
  static constexpr std::uint32_t kTag = 7;
  std::string why;
};

/// It got TERM or INT from another process than the master: it drains and wants a successor.
struct ToldToStopBySignal {
  static constexpr std::uint32_t kTag = 9;
};

/// It has answered as many requests as its Fork said, or cannot go on.
struct WantsReplacement {
  static constexpr std::uint32_t kTag = 10;
  std::string unfit;  ///< why it cannot go on; empty: it has reached its max_requests
};

/// A handler ran past its deadline.
struct TimedOut {
  static constexpr std::uint32_t kTag = 11;
  bool may_return = false;              ///< it has just been told; should it not return, a second message says so
  std::optional<TimeoutReport> report;  ///< only the first time
};

/// It has drained but for handlers that ran past their deadlines.
struct OnlyStuckLeft {
  static constexpr std::uint32_t kTag = 12;
};

/// From the handler of a deadly signal, which fills in a packet that was encoded before.
struct Crashed {
  static constexpr std::uint32_t kTag = 13;
  std::int32_t pid = 0;  ///< as the process itself says
  CrashReport report;
};

/// No request is in progress any more.
struct Paused {
  static constexpr std::uint32_t kTag = 18;
  std::uint32_t number = 0;  ///< the Pause's
};

struct Stack {
  static constexpr std::uint32_t kTag = 20;
  std::uint32_t question = 0;
  StackReport report;
};

struct StacksEnd {
  static constexpr std::uint32_t kTag = 21;
  std::uint32_t question = 0;
};

/// It drains, has closed its listeners, and has no connection any more that waits for a request.
struct NoLongerAccepting {
  static constexpr std::uint32_t kTag = 22;
};

/// The samples are where they were wanted.
struct ProfileEnded {
  static constexpr std::uint32_t kTag = 25;
  std::uint32_t number = 0;
  std::string why;  ///< there are none; empty: there are
};

// --- the directions

using ToMold = std::variant<Fork, Reopen, ForkTask>;
using ToAdmin = std::variant<Status, Reopen>;
using FromAdmin = std::variant<AskStatus, Reopened>;
using FromMold = std::variant<Loaded, LoadFailed, Forked, ForkFailed, Reopened, Registers, TaskForked, TaskForkFailed>;
using ToWorker = std::variant<Drain, Reopen, Pause, Resume, AskStacks, TakeProfile, EndProfile>;
using FromWorker = std::variant<Ready, BootFailed, Reopened, ToldToStopBySignal, WantsReplacement, TimedOut,
                                OnlyStuckLeft, Crashed, Paused, Stack, StacksEnd, NoLongerAccepting, ProfileEnded>;

/// Texts that do not fit are cut. The sender (slot, generation, pid) is for the caller to fill in, where the message
/// has no such field.
template <class Direction>
Packet encode(const Direction& message);

/// nullopt: no message of this direction, or its report cannot be read.
template <class Direction>
std::optional<Direction> decode(const Packet& packet);

extern template Packet encode(const ToMold&);
extern template Packet encode(const ToAdmin&);
extern template Packet encode(const FromAdmin&);
extern template Packet encode(const FromMold&);
extern template Packet encode(const ToWorker&);
extern template Packet encode(const FromWorker&);
extern template std::optional<ToMold> decode(const Packet&);
extern template std::optional<ToAdmin> decode(const Packet&);
extern template std::optional<FromAdmin> decode(const Packet&);
extern template std::optional<FromMold> decode(const Packet&);
extern template std::optional<ToWorker> decode(const Packet&);
extern template std::optional<FromWorker> decode(const Packet&);

}  // namespace serval::ipc
