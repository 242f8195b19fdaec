#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "base/result.hpp"
#include "ipc/packet.hpp"
#include "master/children.hpp"
#include "master/generations.hpp"
#include "master/handover.hpp"
#include "master/inheritance.hpp"
#include "master/reaper.hpp"
#include "master/tell.hpp"
#include "master/worker_memory.hpp"
#include "supervisor/actions.hpp"

namespace serval::master {

/// Starts molds and has them fork workers. Each new process is among the children, is listened to, and its end is
/// awaited. Borrows all; one thread, that of the io_context.
class Launcher {
 public:
  struct Parts {
    boost::asio::io_context& io;
    Children& children;
    Generations& generations;
    const Inheritance& inheritance;
    WorkerMemory& memory;
    Reaper& reaper;
  };
  struct Hooks {
    Tell tell;
    std::function<void(int generation, const ipc::Packet&)> on_mold_packet;
    std::function<void(int slot, const ipc::Packet&)> on_worker_packet;
    std::function<void(int generation, const os::ChildExit&)> on_mold_exit;
    std::function<void(int slot, const os::ChildExit&)> on_worker_exit;
  };
  Launcher(Parts parts, Hooks hooks) : parts_(parts), hooks_(std::move(hooks)) {}
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;

  void perform(const supervisor::StartMold& action);
  void perform(const supervisor::ForkWorker& action);

  /// The mold answers a Fork that it owes an answer for. What it says of the pid is not believed before it has been
  /// looked at: it may be no worker's.
  void on_fork_answered(int generation, int slot, Result<pid_t> pid);

  /// Goes on with the molds and workers that an earlier version of serval in this process had; owns their descriptors.
  void resume(const Handover& handover);

 private:
  Result<pid_t> start_mold(int generation);
  Result<std::unique_ptr<WorkerProcess>> prepare_worker(const supervisor::ForkWorker& action);
  void send_forks(MoldProcess& mold);
  void resume_mold(const ProcessRecord& record);
  void resume_worker(const ProcessRecord& record);
  void listen_to(MoldProcess& mold, ipc::Channel channel);
  void listen_to(WorkerProcess& worker, ipc::Channel channel);
  void await(const MoldProcess& mold);
  void await(const WorkerProcess& worker);

  const Parts parts_;
  const Hooks hooks_;
};

}  // namespace serval::master
