#include "base/log.hpp"
#include "master/programs.hpp"
#include "os/spawned.hpp"

/// How master/programs gives its instances over to a successor: they are children of the same process afterwards.
namespace serval::master {

void Programs::record(Handover& handover) const {
  for (const auto& [id, process] : processes_) {
    ProgramProcessRecord record{.id = id,
                                .name = process->name,
                                .number = process->number,
                                .pid = process->pid,
                                .ready_fd = process->ready_fd ? process->ready_fd.get() : -1,
                                .notify_fd = process->notify_fd ? process->notify_fd.get() : -1,
                                .prober = process->prober,
                                .status = process->status,
                                .log = process->log,
                                .is_task = process->is_task};
    if (process->captures) {
      record.output_fd = process->captures->output.fd();
      record.error_fd = process->captures->error.fd();
    }
    handover.programs.push_back(std::move(record));
  }
  for (const auto& [whose, cpu] : cpu_before_)
    handover.program_cpu.push_back({whose.first, whose.second, static_cast<std::uint64_t>(cpu.count())});
  guard_.record(handover);
}

/// None: it writes into serval's log.
std::shared_ptr<OutputFile> Programs::reopened(const ProgramProcess& process) {
  if (process.log.empty()) return nullptr;
  auto file = files_.open(process.log);
  if (file) return *std::move(file);
  log::error("a program's file cannot be opened, its output goes into this log",
             {{"program", process.name}, {"why", file.error()}});
  return nullptr;
}

void Programs::resume(const Handover& handover) {
  guard_.resume(handover);
  for (const ProgramCpuRecord& record : handover.program_cpu)
    cpu_before_[{record.name, record.number}] = std::chrono::microseconds(record.microseconds);
  for (const ProgramProcessRecord& record : handover.programs) {
    auto process = std::make_unique<ProgramProcess>();
    process->id = record.id;
    process->name = record.name;
    process->number = record.number;
    process->pid = record.pid;
    process->ready_fd.reset(record.ready_fd);
    process->notify_fd.reset(record.notify_fd);
    process->prober = record.prober;
    process->status = record.status;
    process->log = record.log;
    process->is_task = record.is_task;
    if (record.output_fd >= 0) {
      OutputPipes pipes;
      pipes.output_read.reset(record.output_fd);
      pipes.error_read.reset(record.error_fd);
      capture(*process, pipes, reopened(*process));
    }
    os::remember_spawned(process->pid);
    if (process->prober != 0) os::remember_spawned(process->prober);
    listen_for_ready(*process);
    listen_for_notifications(*process);
    await(*process);
    if (process->prober != 0) await_prober(*process);
    processes_[record.id] = std::move(process);
  }
}

}  // namespace serval::master
