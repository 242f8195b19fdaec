#include <unistd.h>

#include <span>
#include <string>
#include <utility>

#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "base/overloaded.hpp"
#include "ipc/messages.hpp"
#include "master/master.hpp"
#include "os/signals.hpp"
#include "stack/names.hpp"

// What molds and workers say, and what becomes of it: events for the supervisor, lines for the log, answers to
// commands.
namespace serval::master {

WorkerStacks::Hooks Master::ways_to_workers() {
  return {.send =
              [this](const auto& worker, const ipc::ToWorker& message) {
                return find_worker(worker.slot)->line->send(ipc::encode(message));
              },
          .layout = [this](const auto& worker) { return layout_of(worker.slot, worker.generation, worker.pid); }};
}

void Master::on_mold_message(int generation, const ipc::Packet& packet) {
  if (packet.generation != generation) return drop(packet, "the mold", "it names another generation");
  const auto message = ipc::decode<ipc::FromMold>(packet);
  if (!message) return drop(packet, "the mold", "a mold says no such thing");
  std::visit(
      Overloaded{
          [&](const ipc::Loaded& loaded) {
            generations_.note_build(generation, loaded.build_id);
            handle(supervisor::MoldLoaded{generation, loaded.build_id});
          },
          [&](const ipc::LoadFailed& failed) {
            handle(supervisor::MoldLoadFailed{generation, failed.why});
          },
          [&](const ipc::Reopened&) { handle(supervisor::MoldReopened{generation}); },
          [&](const ipc::Forked& forked) { on_fork_answered(*children_.find_mold(generation), packet, forked.pid); },
          [&](const ipc::ForkFailed& failed) {
            on_fork_answered(*children_.find_mold(generation), packet, Error{failed.why});
          },
      },
      *message);
}

/// What should never be said. It is logged, but not each time.
void Master::drop(const ipc::Packet& packet, std::string_view from, std::string_view why) {
  report({log::Level::warning,
          "message dropped",
          {{"from", from},
           {"why", why},
           {"kind", packet.tag},
           {"claimed_gen", packet.generation},  // no reason of the fold's: it may be another one each time
           {"claimed_slot", packet.slot}}});
}

void Master::on_fork_answered(MoldProcess& mold, const ipc::Packet& packet, Result<pid_t> pid) {
  const int slot = packet.slot;
  WorkerProcess* worker = find_worker(slot);
  const bool owed = worker != nullptr && worker->asked && worker->pid == 0 && worker->generation == mold.generation;
  if (!owed) return drop(packet, "the mold", "it answers no fork that it was asked for");
  --mold.unanswered;
  send_forks(mold);
  if (pid) {
    if (const std::string why = children_.why_no_worker(*pid); !why.empty()) {
      pid = Error{"the mold says that the worker has pid " + std::to_string(*pid) + ", but " + why};
    }
  }
  if (!pid) {
    children_.remove_worker(slot);
    return handle(supervisor::ForkFailed{slot, pid.error()});
  }
  worker->pid = *pid;
  if (worker->pipes) worker->captures.emplace(io_, *worker->pipes, worker->name(), worker->generation, worker->pid);
  worker->pipes.reset();
  reaper_.await(*pid, [this, slot](const os::Exit& exit) { worker_exited(slot, exit); });
  add_to_cgroup(*worker);
  handle(supervisor::WorkerForked{slot, *pid});
  if (const auto early = children_.take_early_exit(*pid)) reaper_.deliver(*early);
}

void Master::on_worker_message(int slot, const ipc::Packet& packet) {
  const auto message = ipc::decode<ipc::FromWorker>(packet);
  if (!message) return drop(packet, find_worker(slot)->name(), "a worker says no such thing");
  const auto pid = [&] { return find_worker(slot)->pid; };
  std::visit(Overloaded{
                 [&](const ipc::Ready&) { handle(supervisor::WorkerReady{slot}); },
                 [&](const ipc::BootFailed& failed) { handle(supervisor::WorkerBootFailed{slot, failed.why}); },
                 [&](const ipc::Reopened&) { handle(supervisor::WorkerReopened{slot}); },
                 [&](const ipc::ToldToStopBySignal&) { handle(supervisor::WorkerLeaving{slot}); },
                 [&](const ipc::WantsReplacement& wants) { handle(supervisor::WorkerSpent{slot, wants.unfit}); },
                 [&](const ipc::TimedOut& timed_out) { on_timed_out(slot, timed_out); },
                 [&](const ipc::OnlyStuckLeft&) { handle(supervisor::OnlyStuckLeft{slot}); },
                 [&](const ipc::NoLongerAccepting&) { handle(supervisor::WorkerLeft{slot}); },
                 [&](const ipc::Crashed& crashed) { on_crashed(slot, crashed); },
                 [&](const ipc::Paused& paused) { handle(supervisor::WorkerPaused{slot, paused.number}); },
                 [&](const ipc::Stack& stack) { worker_stacks_.on_report(slot, pid(), stack); },
                 [&](const ipc::StacksEnd& end) { worker_stacks_.on_end(slot, pid(), end); },
             },
             *message);
}

void Master::on_timed_out(int slot, const ipc::TimedOut& message) {
  if (!message.report) return handle(supervisor::RequestTimedOut{slot});
  const ipc::TimeoutReport& report = *message.report;
  const WorkerProcess& worker = *find_worker(slot);
  stacks_.name(worker.pid, report.frames,
               [this, report, slot = worker.known_as, pid = worker.pid](const std::vector<std::string>& frames) {
                 this->report({log::Level::warning,
                               "request timed out",
                               {{"method", ipc::get_text(report.method)},
                                {"target", ipc::get_text(report.target)},
                                {"request_id", ipc::get_text(report.request_id)},
                                {"peer", ipc::get_text(report.peer)},
                                {"age_ms", report.age_ms},
                                {"slot", slot},
                                {"worker_pid", pid},
                                {"thread", report.frames.thread},
                                {"stack", frames.empty() ? "the thread does not answer" : stack::one_line(frames)}}});
               });
  if (!message.may_return) handle(supervisor::RequestTimedOut{slot});
}

/// The process may be gone by now; its mold has the same libraries in the same places.
void Master::on_crashed(int slot, const ipc::Crashed& message) {
  const ipc::CrashReport& report = message.report;
  if (report.sender == ::getpid()) return;  // we aborted it, and have said why
  const WorkerProcess& worker = *find_worker(slot);
  const MoldProcess* mold = find_mold(worker.generation);
  const pid_t layout = mold != nullptr ? mold->pid : worker.pid;
  const bool unnamed = worker.pid == 0;  // it was faster than its mold
  const pid_t pid = unnamed && children_.why_no_worker(message.pid).empty() ? message.pid : worker.pid;
  const std::string& library = generations_.config_of(worker.generation).app.library;
  const bool spoilt = mold != nullptr && overwritten(mold->app_file, look_at_app(library));
  stacks_.name(layout, report.frames,
               [this, report, slot = worker.known_as, spoilt, library, pid](const std::vector<std::string>& frames) {
                 supervisor::Log line{log::Level::warning,
                                      "worker crashed",
                                      {{"slot", slot},
                                       {"worker_pid", pid},
                                       {"signal", os::signal_name(report.signal)},
                                       {"sender_pid", report.sender},
                                       {"thread", report.frames.thread},
                                       {"stack", stack::one_line(frames)}}};
                 if (spoilt)
                   line.fields.emplace_back(
                       "overwritten",
                       library + " was written into after it had been loaded; deploy by mv or install, then reload");
                 this->report(std::move(line));
               });
}

/// Of all workers, or of those in `slot`: the one that leaves, and its successor.
void Master::ask_stacks(std::optional<int> slot, const control::Responder& responder) {
  std::vector<WorkerStacks::Worker> asked;
  for (const auto& [seat, worker] : children_.workers()) {
    if (worker->pid != 0 && (!slot || *slot == worker->known_as))
      asked.push_back({seat, worker->known_as, worker->generation, worker->pid});
  }
  if (asked.empty())
    return responder.refuse(slot ? "no worker in slot " + std::to_string(*slot) : "there is no worker",
                            exit_code::app_failed);
  responder.progress("asking " + std::to_string(asked.size()) + (asked.size() == 1 ? " worker" : " workers"));
  worker_stacks_.ask(asked, [responder](boost::json::object result) { responder.finish(std::move(result)); });
}

/// 0: neither the worker lives nor its mold.
pid_t Master::layout_of(int slot, int generation, pid_t pid) {
  const WorkerProcess* worker = find_worker(slot);
  if (worker != nullptr && worker->pid == pid) return pid;
  const MoldProcess* mold = find_mold(generation);
  return mold != nullptr ? mold->pid : 0;
}

/// At the very end the supervisor does not fold any more.
void Master::report(supervisor::Log line) {
  if (!farewell_.begun()) return handle(supervisor::Reported{std::move(line)});
  log::write(line.level, line.sentence, std::span<const log::Field>(line.fields));
}

}  // namespace serval::master
