#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <type_traits>

/// Everything that master, mold and workers say to each other: one plain struct, one SOCK_SEQPACKET packet each (ipc/channel.hpp).
/// The app lives in the mold and the workers, so the master treats every packet as coming from outside: unknown kinds and packets of
/// another size or generation are dropped with a log line.
namespace serval::ipc {

enum class Kind : std::uint32_t {
  // mold → master
  loaded = 1,     ///< the app is preloaded; Fork may follow
  load_failed,    ///< text says why; the mold exits next
  forked,         ///< slot, pid: the worker asked for by Fork lives
  fork_failed,    ///< slot, text
  // master → mold
  fork,           ///< slot; descriptors: the worker's channel, its standard output, its standard error
  // worker → master
  ready,          ///< worker_start returned and the app says it is ready
  boot_failed,    ///< text says why; the worker exits next
  reopened,       ///< the log descriptors have been swapped
  leaving,        ///< got TERM or INT from somebody else: it drains and wants a successor
  // master → worker
  drain,          ///< answer what is accepted or queued, then exit 0
  reopen,         ///< descriptors: log file, access log (each only if it is a file); answer with reopened
};

struct Message {
  Kind kind{};
  std::int32_t slot = -1;
  std::int32_t generation = 0;
  std::int32_t pid = 0;
  std::uint32_t text_size = 0;
  char text[2028] = {};  ///< UTF-8, not terminated
};
static_assert(sizeof(Message) == 2048 && std::is_trivially_copyable_v<Message>);

/// Cuts what does not fit.
Message with_text(Message message, std::string_view text);
/// Never reads past `text`, whatever text_size claims.
std::string text_of(const Message& message);

}  // namespace serval::ipc
