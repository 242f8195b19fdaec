#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>

#include "admin/otlp.hpp"
#include "config/telemetry.hpp"

namespace serval::admin {

/// What has become of spans, all this process's life.
struct SpanCounts {
  std::uint64_t exported = 0;
  std::uint64_t dropped = 0;  ///< here: the collector did not take them, or not fast enough
};

/// Takes spans out of their pipe and posts them to the collector, in batches, one request at a time (OTLP/HTTP). Nobody
/// waits for it: of what the collector does not take, this many are kept and the rest is dropped and counted. One
/// thread, that of the io_context.
class SpanExport {
 public:
  /// `spans_fd` is borrowed.
  SpanExport(boost::asio::io_context& io, int spans_fd, config::Telemetry telemetry, TraceResource resource);
  ~SpanExport();
  SpanCounts counts() const;

 private:
  class Work;
  const std::shared_ptr<Work> work_;
};

}  // namespace serval::admin
