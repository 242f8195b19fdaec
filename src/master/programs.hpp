#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "control/status.hpp"
#include "master/generations.hpp"
#include "master/guard.hpp"
#include "master/handover.hpp"
#include "master/leftovers.hpp"
#include "master/output_file.hpp"
#include "master/program_launch.hpp"
#include "master/program_process.hpp"
#include "master/reaper.hpp"
#include "master/task_forks.hpp"
#include "master/tell.hpp"
#include "master/worker_memory.hpp"
#include "os/wait.hpp"

namespace serval::master {

/// Starts programs, hears whether they are ready, logs what they print, and signals them. One thread, that of the
/// io_context; borrows the parts.
class Programs {
 public:
  struct Parts {
    boost::asio::io_context& io;
    const Generations& generations;
    Reaper& reaper;
    WorkerMemory& memory;
    Children& children;
    TaskForks& tasks;
  };
  Programs(Parts parts, Tell tell)
      : parts_(parts),
        tell_(std::move(tell)),
        leftovers_(parts.io, [this](int id, pid_t leader) { on_cleared(id, leader); }),
        guard_(parts.reaper) {}
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;

  // the supervisor's actions
  void perform(const supervisor::LaunchProgram& action);
  void perform(const supervisor::SignalProgram& action);
  void perform(const supervisor::EndLeftovers& action) { leftovers_.perform(action); }
  void perform(const supervisor::LookAtPrograms& action);

  /// A mold has forked a task that it was asked for, which waits for a byte in `begin`; or why it has not.
  void on_forked(int id, Result<pid_t> pid, UniqueFd begin);

  /// Goes on with those that an earlier version of serval in this process had; owns their descriptors.
  void resume(const Handover& handover);
  void record(Handover& handover) const;
  /// Logs what their pipes hold.
  void drain_captures() const;
  /// The files of their output; as LogFiles::reopen().
  std::string reopen_logs() { return files_.reopen(); }
  /// Lines that these have lost.
  std::uint64_t lost_log_lines() const { return files_.lost_lines(); }
  /// All have ended.
  void finish();

  /// What is known of an instance beside the supervisor's snapshot; `memory`: look at that too.
  std::vector<control::ProgramReading> readings(bool memory) const;

 private:
  /// A task that a mold has been asked for.
  struct Forking {
    std::unique_ptr<ProgramProcess> process;
    OutputPipes pipes;
    config::Program program;
    std::shared_ptr<OutputFile> file{};
  };
  Result<std::unique_ptr<ProgramProcess>> launch(const supervisor::LaunchProgram& action);
  void begin(std::unique_ptr<ProgramProcess> process, const config::Program& program);
  void capture(ProgramProcess& process, OutputPipes& pipes, std::shared_ptr<OutputFile> file);
  std::shared_ptr<OutputFile> reopened(const ProgramProcess& process);
  // In program_tasks.cpp.
  Result<void> ask_mold(const supervisor::LaunchProgram& action, Forking forking, const os::Spawn& what,
                        const ProgramWords& words, UniqueFd ready);
  void listen_for_ready(ProgramProcess& process);
  void listen_for_notifications(ProgramProcess& process);
  void start_prober(ProgramProcess& process, const config::Program& program);
  void await(const ProgramProcess& process);
  void await_prober(const ProgramProcess& process);
  void on_exit(int id, const os::ChildExit& exit);
  void on_cleared(int id, pid_t leader);
  void on_prober_exit(int id, const os::ChildExit& exit);
  void end_prober(ProgramProcess& process);
  void read_ready(ProgramProcess& process);
  void read_notifications(ProgramProcess& process);
  ProgramProcess* find(int id) const;

  const Parts parts_;
  const Tell tell_;
  Leftovers leftovers_;
  Guard guard_;
  OutputFiles files_;
  std::map<int, std::unique_ptr<ProgramProcess>> processes_;  ///< by id
  std::map<int, Forking> forking_;                            ///< likewise
  /// Of instances that have ended, by name and number: a counter that never goes back.
  std::map<std::pair<std::string, int>, std::chrono::microseconds> cpu_before_;
};

}  // namespace serval::master
