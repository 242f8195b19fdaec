#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <type_traits>

/// Everything that master, mold and workers say to each other: one plain struct, one packet each (ipc/channel.hpp).
/// The app lives in the mold and the workers, so the master treats every packet as coming from outside: unknown kinds and packets of
/// another size or generation are dropped with a log line.
namespace serval::ipc {

enum class Kind : std::uint32_t {
  // mold → master
  loaded = 1,     ///< the app is preloaded; Fork may follow. text: the library's build id, or nothing
  load_failed,    ///< text says why; the mold exits next
  forked,         ///< slot, pid: the worker asked for by Fork lives
  fork_failed,    ///< slot, text
  // master → mold
  fork,           ///< slot, limit, number; descriptors: the worker's two ends of its channel (in, out), then its standard output and error, if captured
  // worker → master
  ready,          ///< worker_start returned and the app says it is ready
  boot_failed,    ///< text says why; the worker exits next
  reopened,       ///< the log descriptors have been swapped
  leaving,        ///< got TERM or INT from somebody else: it drains and wants a successor
  spent,          ///< it has answered as many requests as its Fork said; or text says why it cannot go on
  timed_out,      ///< number: its flags; a handler ran past its deadline; carries a TimeoutReport (ipc/reports.hpp), the first time
  only_stuck_left,  ///< it has drained but for such handlers
  crashed,        ///< from the handler of a deadly signal; carries a CrashReport
  // master → worker
  drain,          ///< answer what is accepted or queued, then exit 0; may come a second time without the flag that the first one had
  reopen,         ///< descriptors: log file, access log (each only if it is a file); answer with reopened
  pause,          ///< number; let no request begin until resume; answer with paused once none is in progress
  resume,
  // worker → master, again: numbers stay what they are
  paused,         ///< number: of the pause
  // master → worker
  ask_stacks,     ///< number; answer with a stack for each thread, then with stacks_end
  // worker → master
  stack,          ///< number; carries a StackReport
  stacks_end,     ///< number
  // worker → master
  left,           ///< it drains, has closed its listeners, and has no connection any more that waits for a request
};

/// Flags of timed_out.
/// The handler has just been told. Should it not return, a second message says so, without a report.
inline constexpr std::uint32_t kMayReturn = 1;

/// Flags of drain.
inline constexpr std::uint32_t kSucceeded = 1;  ///< others serve or will serve: connections move to them through the lobby (ipc/lobby.hpp)

struct Message {
  Kind kind{};
  std::int32_t slot = -1;
  std::int32_t generation = 0;
  std::int32_t pid = 0;
  std::uint32_t text_size = 0;
  std::uint32_t number = 0;  ///< of fork: the pause in which the worker begins, 0: none; of drain and timed_out: their flags; else what the answer repeats
  std::int64_t limit = 0;  ///< of fork: requests after which the worker is spent; 0: none
  std::int32_t known_as = -1;  ///< of fork: the slot's number as the app, commands and the log know it; `slot` is its seat
  std::int32_t reserved = 0;
  char text[2008] = {};  ///< UTF-8, not terminated; or a report
};
static_assert(sizeof(Message) == 2048 && std::is_trivially_copyable_v<Message>);

/// Cuts what does not fit.
Message with_text(Message message, std::string_view text);
/// Never reads past `text`, whatever text_size claims.
std::string text_of(const Message& message);

}  // namespace serval::ipc
