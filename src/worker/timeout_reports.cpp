#include "worker/timeout_reports.hpp"

#include "base/log.hpp"

namespace serval::worker {

void TimeoutReports::add(const HandlerCall& call, TimePoint now) {
  const server::Exchange& exchange = call.exchange();
  ipc::TimeoutReport report;
  report.age_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - call.started()).count();
  ipc::put_text(report.method, exchange.request().method);
  ipc::put_text(report.target, call.shown_target());
  ipc::put_text(report.request_id, exchange.request_id());
  ipc::put_text(report.peer, exchange.origin().peer);
  stacks_.ask(call.thread(), [this, report](const stack::Frames& frames) mutable {
    report.frames = frames;
    send(report);
  });
}

void TimeoutReports::does_not_return() { tell_(ipc::TimedOut{}); }

void TimeoutReports::send(const ipc::TimeoutReport& report) {
  if (tell_(ipc::TimedOut{.may_return = true, .report = report})) return;
  log::warning("request timed out", {{"method", ipc::get_text(report.method)},
                                     {"target", ipc::get_text(report.target)},
                                     {"request_id", ipc::get_text(report.request_id)},
                                     {"age_ms", report.age_ms},
                                     {"thread", report.frames.thread}});
}

}  // namespace serval::worker
