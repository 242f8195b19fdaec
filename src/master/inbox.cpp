#include "master/inbox.hpp"

#include <string>
#include <utility>

#include "base/overloaded.hpp"
#include "base/task_name.hpp"

namespace serval::master {

Result<ipc::FromMold> from_mold(const ipc::Packet& packet, int generation) {
  if (packet.generation != generation) return Error{"it names another generation"};
  auto message = ipc::decode<ipc::FromMold>(packet);
  if (!message) return Error{"a mold says no such thing"};
  return std::move(*message);
}

/// Its seat is the channel's: what the packet says of that does not matter.
Result<ipc::FromWorker> from_worker(const ipc::Packet& packet) {
  auto message = ipc::decode<ipc::FromWorker>(packet);
  if (!message) return Error{"a worker says no such thing"};
  return std::move(*message);
}

bool owes_answer(int generation, const WorkerProcess* worker) {
  return worker != nullptr && worker->asked && worker->pid == 0 && worker->generation == generation;
}

supervisor::Log dropped_line(const ipc::Packet& packet, std::string_view from, std::string_view why) {
  return {log::Level::warning,
          "message dropped",
          {{"from", from},
           {"why", why},
           {"kind", packet.tag},
           {"claimed_gen", packet.generation},  // no reason of the fold's: it may be another one each time
           {"claimed_slot", packet.slot}}};
}

void Inbox::on_mold_packet(int generation, const ipc::Packet& packet) {
  const auto message = from_mold(packet, generation);
  if (!message) return report_(dropped_line(packet, "the mold", message.error()));
  std::visit(
      Overloaded{
          [&](const ipc::Loaded& loaded) {
            parts_.generations.note_build(generation, loaded.build_id);
            tell_(supervisor::MoldLoaded{generation, loaded.build_id,
                                         std::exchange(parts_.children.find_mold(generation)->tasks, {})});
          },
          [&](const ipc::Registers& more) { add_task_names(more.tasks, parts_.children.find_mold(generation)->tasks); },
          [&](const ipc::TaskForked& forked) { on_task_answered(generation, packet, forked.id, forked.pid); },
          [&](const ipc::TaskForkFailed& failed) {
            on_task_answered(generation, packet, failed.id, Error{failed.why});
          },
          [&](const ipc::LoadFailed& failed) {
            tell_(supervisor::MoldLoadFailed{generation, failed.why});
          },
          [&](const ipc::Reopened&) { tell_(supervisor::MoldReopened{generation}); },
          [&](const ipc::Forked& forked) { on_fork_answered(generation, packet, forked.pid); },
          [&](const ipc::ForkFailed& failed) { on_fork_answered(generation, packet, Error{failed.why}); },
      },
      *message);
}

void Inbox::on_fork_answered(int generation, const ipc::Packet& packet, Result<pid_t> pid) {
  if (!owes_answer(generation, parts_.children.find_worker(packet.slot)))
    return report_(dropped_line(packet, "the mold", "it answers no fork that it was asked for"));
  parts_.launcher.on_fork_answered(generation, packet.slot, std::move(pid));
}

void Inbox::on_task_answered(int generation, const ipc::Packet& packet, std::uint32_t id, Result<pid_t> pid) {
  if (!parts_.tasks.on_answer(generation, id, std::move(pid)))
    report_(dropped_line(packet, "the mold", "it answers no fork that it was asked for"));
}

void Inbox::on_worker_packet(int slot, const ipc::Packet& packet) {
  const WorkerProcess& worker = *parts_.children.find_worker(slot);
  const auto message = from_worker(packet);
  if (!message) return report_(dropped_line(packet, worker.name(), message.error()));
  std::visit(Overloaded{
                 [&](const ipc::Ready&) { tell_(supervisor::WorkerReady{slot}); },
                 [&](const ipc::BootFailed& failed) {
                   tell_(supervisor::WorkerBootFailed{slot, failed.why});
                 },
                 [&](const ipc::Reopened&) { tell_(supervisor::WorkerReopened{slot}); },
                 [&](const ipc::ToldToStopBySignal&) { tell_(supervisor::WorkerLeaving{slot}); },
                 [&](const ipc::WantsReplacement& wants) {
                   tell_(supervisor::WorkerSpent{slot, wants.unfit});
                 },
                 [&](const ipc::TimedOut& timed_out) { parts_.reports.on_timed_out(worker, timed_out); },
                 [&](const ipc::OnlyStuckLeft&) { tell_(supervisor::OnlyStuckLeft{slot}); },
                 [&](const ipc::NoLongerAccepting&) { tell_(supervisor::WorkerLeft{slot}); },
                 [&](const ipc::Crashed& crashed) { parts_.reports.on_crashed(worker, crashed); },
                 [&](const ipc::Paused& paused) {
                   tell_(supervisor::WorkerPaused{slot, paused.number});
                 },
                 [&](const ipc::Stack& stack) { parts_.stacks.on_report(slot, worker.pid, stack); },
                 [&](const ipc::StacksEnd& end) { parts_.stacks.on_end(slot, worker.pid, end); },
                 [&](const ipc::ProfileEnded& ended) { parts_.profiles.on_ended(slot, worker.pid, ended); },
             },
             *message);
}

}  // namespace serval::master
