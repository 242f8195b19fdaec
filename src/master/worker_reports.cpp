#include "master/worker_reports.hpp"

#include <unistd.h>

#include <utility>

#include "os/signals.hpp"
#include "stack/names.hpp"

namespace serval::master {

supervisor::Log timed_out_line(const Reporter& worker, const ipc::TimeoutReport& report,
                               const std::vector<std::string>& frames) {
  return {log::Level::warning,
          "request timed out",
          {{"method", ipc::get_text(report.method)},
           {"target", ipc::get_text(report.target)},
           {"request_id", ipc::get_text(report.request_id)},
           {"peer", ipc::get_text(report.peer)},
           {"age_ms", report.age_ms},
           {"slot", worker.slot},
           {"worker_pid", worker.pid},
           {"thread", report.frames.thread},
           {"stack", frames.empty() ? "the thread does not answer" : stack::one_line(frames)}}};
}

supervisor::Log crashed_line(const Reporter& worker, const ipc::CrashReport& report,
                             const std::vector<std::string>& frames, const std::string& overwritten) {
  supervisor::Log line{log::Level::warning,
                       "worker crashed",
                       {{"slot", worker.slot},
                        {"worker_pid", worker.pid},
                        {"signal", os::signal_name(report.signal)},
                        {"sender_pid", report.sender},
                        {"thread", report.frames.thread},
                        {"stack", stack::one_line(frames)}}};
  if (!overwritten.empty())
    line.fields.emplace_back(
        "overwritten",
        overwritten + " was written into after it had been loaded; deploy by mv or install, then reload");
  return line;
}

/// The supervisor hears of a handler that has just been told only if that does not return.
void WorkerReports::on_timed_out(const WorkerProcess& worker, const ipc::TimedOut& message) {
  if (message.report) {
    const Reporter reporter{worker.known_as, worker.pid};
    names_.name(worker.pid, message.report->frames,
                [this, reporter, report = *message.report](const std::vector<std::string>& frames) {
                  report_(timed_out_line(reporter, report, frames));
                });
    if (message.may_return) return;
  }
  tell_(supervisor::RequestTimedOut{worker.slot});
}

/// The process may be gone by now; its mold has the same libraries in the same places.
void WorkerReports::on_crashed(const WorkerProcess& worker, const ipc::Crashed& message) {
  if (message.report.sender == ::getpid()) return;  // we aborted it, and have said why
  const MoldProcess* mold = children_.find_mold(worker.generation);
  const pid_t layout = mold != nullptr ? mold->pid : worker.pid;
  const bool unnamed = worker.pid == 0;  // it was faster than its mold
  const bool credible = unnamed && children_.why_no_worker(message.pid).empty();
  const Reporter reporter{worker.known_as, credible ? message.pid : worker.pid};
  const std::string& library = generations_.config_of(worker.generation).app.library;
  const bool spoilt = mold != nullptr && overwritten(mold->app_file, look_at_app(library));
  names_.name(
      layout, message.report.frames,
      [this, reporter, report = message.report, overwritten = spoilt ? library : ""](
          const std::vector<std::string>& frames) { report_(crashed_line(reporter, report, frames, overwritten)); });
}

}  // namespace serval::master
