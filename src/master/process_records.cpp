#include "master/process_records.hpp"

namespace serval::master {
namespace {

void record_captures(ProcessRecord& record, const std::optional<Captures>& captures) {
  if (!captures) return;
  record.output_fd = captures->output.fd();
  record.error_fd = captures->error.fd();
}

}  // namespace

ProcessRecord record_of(const MoldProcess& mold) {
  const AppFile& file = mold.app_file;
  ProcessRecord record{.generation = mold.generation,
                       .pid = mold.pid,
                       .reports_fd = mold.line->in_fd(),
                       .orders_fd = mold.line->out_fd(),
                       .app_device = file.device,
                       .app_inode = file.inode,
                       .app_size = file.size,
                       .app_modified_ns = file.modified_ns};
  record_captures(record, mold.captures);
  return record;
}

ProcessRecord record_of(const WorkerProcess& worker) {
  ProcessRecord record{.slot = worker.slot,
                       .known_as = worker.known_as,
                       .generation = worker.generation,
                       .pid = worker.pid,
                       .max_requests = worker.max_requests,
                       .reports_fd = worker.line->in_fd(),
                       .orders_fd = worker.line->out_fd()};
  record_captures(record, worker.captures);
  return record;
}

void record(const Children& children, Handover& handover) {
  for (const auto& [generation, mold] : children.molds()) handover.molds.push_back(record_of(*mold));
  for (const auto& [slot, worker] : children.workers()) handover.workers.push_back(record_of(*worker));
}

ipc::Channel channel_of(const ProcessRecord& record) {
  return {ipc::Channel::End::master, UniqueFd(record.reports_fd), UniqueFd(record.orders_fd)};
}

OutputPipes pipes_of(const ProcessRecord& record) {
  OutputPipes pipes;
  pipes.output_read.reset(record.output_fd);
  pipes.error_read.reset(record.error_fd);
  return pipes;
}

AppFile app_file_of(const ProcessRecord& record) {
  return {static_cast<dev_t>(record.app_device), static_cast<ino_t>(record.app_inode),
          static_cast<off_t>(record.app_size), record.app_modified_ns};
}

}  // namespace serval::master
