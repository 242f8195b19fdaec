#pragma once

#include <string_view>

#include "base/result.hpp"
#include "ipc/messages.hpp"
#include "master/children.hpp"
#include "master/generations.hpp"
#include "master/launcher.hpp"
#include "master/task_forks.hpp"
#include "master/tell.hpp"
#include "master/worker_profiles.hpp"
#include "master/worker_reports.hpp"
#include "master/worker_stacks.hpp"
#include "supervisor/actions.hpp"

/// What molds and workers say. The app lives in them, so every packet is treated as coming from outside.
namespace serval::master {

// Whether a packet may be believed; the errors say why it is dropped. Pure.

Result<ipc::FromMold> from_mold(const ipc::Packet& packet, int generation);
Result<ipc::FromWorker> from_worker(const ipc::Packet& packet);
/// Whether the mold of this generation owes an answer to the Fork of this worker; nullptr: there is no such worker.
bool owes_answer(int generation, const WorkerProcess* worker);

/// The line about a packet that is dropped. Pure.
supervisor::Log dropped_line(const ipc::Packet& packet, std::string_view from, std::string_view why);

/// Turns messages into events for the supervisor, lines for the log, and answers to commands. Borrows all; one thread.
class Inbox {
 public:
  struct Parts {
    const Children& children;
    Generations& generations;
    Launcher& launcher;
    TaskForks& tasks;
    WorkerReports& reports;
    WorkerStacks& stacks;
    WorkerProfiles& profiles;
  };
  Inbox(Parts parts, Tell tell, Report report) : parts_(parts), tell_(std::move(tell)), report_(std::move(report)) {}

  /// `generation` and `slot` name a mold and a worker that are among the children.
  void on_mold_packet(int generation, const ipc::Packet& packet);
  void on_worker_packet(int slot, const ipc::Packet& packet);

 private:
  void on_fork_answered(int generation, const ipc::Packet& packet, Result<pid_t> pid);
  void on_task_answered(int generation, const ipc::Packet& packet, std::uint32_t id, Result<pid_t> pid);

  const Parts parts_;
  const Tell tell_;
  const Report report_;
};

}  // namespace serval::master
