#include "worker/tracing.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "ipc/spans.hpp"
#include "server/exchange.hpp"

namespace serval::worker {
namespace {

std::string_view value_of(const http::Request& request, std::string_view name) {
  const auto found = std::find_if(request.fields.begin(), request.fields.end(),
                                  [name](const http::Field& field) { return http::equal_names(field.name, name); });
  return found == request.fields.end() ? std::string_view() : found->value;
}

/// What the wall clock said at points in time of the monotonic one, as it goes now.
class WallClock {
 public:
  /// Nanoseconds since 1970; 0 for a point that was not reached.
  std::int64_t at(TimePoint point) const {
    if (point == TimePoint{}) return 0;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(wall_ - (now_ - point)).count();
  }

 private:
  const TimePoint now_ = Clock::now();
  const std::chrono::nanoseconds wall_ = std::chrono::system_clock::now().time_since_epoch();
};

/// Of a target that may have been changed for the log.
std::string_view query_of(std::string_view target) {
  const auto at = target.find('?');
  return at == target.npos ? std::string_view() : target.substr(at + 1);
}

}  // namespace

Tracing::Tracing(const ipc::Heritage& heritage, scoreboard::WorkerBoard& board, const Worker& worker)
    : fd_(heritage.spans_fd),
      sampler_{heritage.sampler},
      redactor_(heritage.config.log.redact),
      board_(board),
      worker_(worker) {}

void Tracing::begin(const http::Request& request, Trace& trace) {
  const auto parent = http::parse_traceparent(value_of(request, "traceparent"));
  trace.parent_id = parent ? parent->span_id : std::array<std::uint8_t, 8>{};
  if (parent) {
    trace.context.trace_id = parent->trace_id;
  } else {
    make_id(trace.context.trace_id);
  }
  make_id(trace.context.span_id);
  trace.context.sampled = http::is_sampled(sampler_, parent ? &*parent : nullptr, trace.context.trace_id);
  http::write_traceparent(trace.context, trace.traceparent);
}

/// Zeros alone are no id.
void Tracing::make_id(std::span<std::uint8_t> id) {
  for (std::size_t i = 0; i < id.size(); i += 8) {
    const std::uint64_t bits = std::max<std::uint64_t>(random_(), 1);
    std::memcpy(id.data() + i, &bits, sizeof bits);
  }
}

void Tracing::end(const server::Summary& summary, const Trace& trace, const Milestones& milestones) {
  if (!trace.context.sampled) return;
  const server::Exchange& exchange = summary.exchange;
  const http::Request& request = exchange.request();
  ipc::Span span;
  span.status = summary.status;
  span.trace_id = trace.context.trace_id;
  span.span_id = trace.context.span_id;
  span.parent_id = trace.parent_id;
  span.slot = worker_.known_as;
  span.pid = worker_.pid;
  span.generation = worker_.generation;
  span.minor_version = request.version.minor;
  const WallClock wall;
  span.begin_ns = wall.at(milestones.first_byte);
  span.complete_ns = wall.at(milestones.complete);
  span.started_ns = wall.at(milestones.started);
  span.handled_ns = wall.at(milestones.handled);
  span.end_ns = wall.at(milestones.end);
  std::string memory;
  span.put(ipc::Span::method, request.method);
  span.put(ipc::Span::path, request.path);
  span.put(ipc::Span::query, query_of(redactor_.shown(request.target, memory)));
  span.put(ipc::Span::scheme, exchange.origin().scheme);
  span.put(ipc::Span::host, request.host);
  span.put(ipc::Span::client, exchange.peer());
  span.put(ipc::Span::request_id, exchange.request_id());
  span.put(ipc::Span::user_agent, value_of(request, "User-Agent"));
  if (!ipc::send_span(fd_, span)) board_.count_dropped_span();
}

}  // namespace serval::worker
