#include "worker/timeout_reports.hpp"

#include "base/log.hpp"

namespace serval::worker {

void TimeoutReports::add(const Exchange& exchange, TimePoint now) {
  const http::Head& head = exchange.parser.head();
  ipc::TimeoutReport report;
  report.age_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - exchange.started()).count();
  ipc::put_text(report.method, head.method);
  ipc::put_text(report.target, head.target);
  ipc::put_text(report.request_id, exchange.request_id);
  ipc::put_text(report.peer, exchange.request.peer);
  stacks_.ask(exchange.thread(), [this, report](const stack::Frames& frames) mutable {
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
