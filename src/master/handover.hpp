#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "os/unique_fd.hpp"
#include "supervisor/state.hpp"

/// All that crosses the exec by which a master replaces itself with another version of serval: plain values, and the
/// numbers of descriptors that stay open. Written as JSON into a memory file whose number is the argument of the hidden
/// `serval adopt FD`. What an older version does not say has the defaults that are here; -1 is no descriptor.
namespace serval::master {

struct ListenerRecord {
  std::string bind{};
  std::string address{};
  int fd = -1;
  bool local = false;
  std::string socket_file{};
  std::uint64_t file_device = 0;
  std::uint64_t file_inode = 0;
  std::string stored_as{};  ///< in the service manager's store; empty: it is not
};

struct LogFilesRecord {
  std::string file{};
  std::string access{};
  int log_fd = -1;
  int access_fd = -1;
};

struct GenerationRecord {
  int number = 0;
  std::vector<std::pair<std::string, std::string>> config{};    ///< option path and value (config::to_text)
  int logs = 0;                                                 ///< index into Handover::logs
  std::vector<int> listeners{};                                 ///< indices likewise
  std::map<std::string, std::vector<int>> program_listeners{};  ///< likewise, by program
  std::string build{};
  std::string config_file{};                  ///< that was read for it, links followed
  std::vector<std::string> from_variables{};  ///< as in config::Config
};

/// A mold or worker that lives.
struct ProcessRecord {
  int slot = -1;      ///< of a worker: its seat ...
  int known_as = -1;  ///< ... and the slot's number for users
  int generation = 0;
  pid_t pid = 0;
  std::int64_t max_requests = 0;
  int reports_fd = -1;  ///< the master's end of its channel: what it says comes in here ...
  int orders_fd = -1;   ///< ... and what it is told goes out here
  int output_fd = -1;
  int error_fd = -1;
  std::uint64_t app_device = 0;  ///< of a mold: the file it has loaded
  std::uint64_t app_inode = 0;
  std::int64_t app_size = -1;
  std::int64_t app_modified_ns = 0;
};

/// An instance of a program that lives.
struct ProgramProcessRecord {
  int id = 0;
  std::string name{};
  int number = 0;
  pid_t pid = 0;
  int output_fd = -1;
  int error_fd = -1;
  int ready_fd = -1;
  int notify_fd = -1;
  pid_t prober = 0;
  std::string status{};
  std::string log{};  ///< the file of its output; empty: serval's log
  bool is_task = false;
};
struct ProgramCpuRecord {  ///< of instances that have ended
  std::string name{};
  int number = 0;
  std::uint64_t microseconds = 0;
};

/// A client of the control socket whose request has not come, or not all of it.
struct PendingClientRecord {
  int fd = -1;
  std::string read{};
};

struct ControlRecord {
  ListenerRecord listener{};
  std::vector<int> clients{};  ///< that wait to hear of the upgrade
  std::vector<PendingClientRecord> unheard{};
};

struct CgroupsRecord {
  std::string folder{};                                             ///< empty: none
  std::map<int, std::pair<std::uint64_t, std::uint64_t>> seated{};  ///< by slot: oom and oom_kill when its worker came
};

struct Handover {
  /// Which version of the messages between master, molds and workers it speaks (ipc/messages.hpp, ipc/reports.hpp): one
  /// that speaks another cannot take over.
  int protocol = 0;
  std::string version{};
  std::vector<std::string> arguments{};  ///< the command line that the server was started with
  std::string working_directory{};       ///< where that was, as it was called then; empty: not said
  std::string nonce{};  ///< what a new program proves by that it has read this (master/adoption_proof.hpp)
  TimePoint begun{};
  supervisor::State supervisor{};
  int life_read_fd = -1;
  int life_write_fd = -1;
  int lobby_entry_fd = -1;
  int lobby_exit_fd = -1;
  int scoreboard_fd = -1;
  int app_metrics_fd = -1;
  int spans_read_fd = -1;
  int spans_write_fd = -1;
  std::vector<LogFilesRecord> logs{};
  std::vector<ListenerRecord> listeners{};
  std::vector<GenerationRecord> generations{};
  std::vector<ProcessRecord> molds{};
  std::vector<ProcessRecord> workers{};
  std::vector<ProgramProcessRecord> programs{};
  std::vector<ProgramCpuRecord> program_cpu{};
  pid_t guard_pid = 0;
  int guard_fd = -1;
  ControlRecord control{};
  ListenerRecord admin{};  ///< of the admin process, which is started anew
  int pidfile_fd = -1;
  CgroupsRecord cgroups{};

  /// All that must stay open.
  std::vector<int> fds() const;
};

inline constexpr int kHandoverProtocol = 2;

/// A sealed memory file.
Result<UniqueFd> write_handover(const Handover& handover);
/// Also an error: what this version cannot go on with. Descriptors are not looked at.
Result<Handover> read_handover(int fd);

}  // namespace serval::master
