#include "worker/timeout_reports.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "stack/capture.hpp"

namespace serval::worker {

using namespace std::chrono_literals;

namespace {

/// A thread answers within microseconds, unless it blocks signals or the kernel has it for good.
constexpr auto kPause = 2ms;
constexpr auto kPatience = 200ms;

}  // namespace

TimeoutReports::TimeoutReports(boost::asio::io_context& io, std::function<bool(const ipc::Message&)> tell) : timer_(io), tell_(std::move(tell)) {}

void TimeoutReports::add(const Exchange& exchange, TimePoint now) {
  const http::Head& head = exchange.parser.head();
  Pending pending{.thread = exchange.thread(), .until = now + kPatience, .report = {}};
  pending.report.age_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - exchange.started()).count();
  ipc::put_text(pending.report.method, head.method);
  ipc::put_text(pending.report.target, head.target);
  ipc::put_text(pending.report.request_id, exchange.request_id);
  ipc::put_text(pending.report.peer, exchange.request.peer);
  pending.report.frames.thread = pending.thread;
  if (!stack::ask(pending.thread)) return send(pending.report);
  pending_.push_back(pending);
  arm();
}

void TimeoutReports::flush() { collect(true); }

void TimeoutReports::collect(bool all) {
  const TimePoint now = Clock::now();
  const auto settled = [&](Pending& pending) {
    const auto frames = stack::answer(pending.thread);
    if (!frames && !all && now < pending.until) return false;
    if (frames) pending.report.frames = *frames;
    send(pending.report);
    return true;
  };
  std::erase_if(pending_, settled);
}

void TimeoutReports::send(const ipc::TimeoutReport& report) {
  ipc::Message message{.kind = ipc::Kind::timed_out};
  ipc::put_report(message, report);
  if (tell_(message)) return;
  log::warning("request timed out", {{"method", ipc::get_text(report.method)},
                                     {"target", ipc::get_text(report.target)},
                                     {"request_id", ipc::get_text(report.request_id)},
                                     {"age_ms", report.age_ms},
                                     {"thread", report.frames.thread}});
}

void TimeoutReports::arm() {
  if (std::exchange(armed_, true)) return;
  timer_.expires_after(kPause);
  timer_.async_wait([this](const boost::system::error_code& error) {
    armed_ = false;
    if (error) return;
    collect(false);
    if (!pending_.empty()) arm();
  });
}

}  // namespace serval::worker
