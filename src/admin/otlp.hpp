#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ipc/spans.hpp"

namespace serval::admin {

/// Who made the spans.
struct TraceResource {
  std::string service;
  std::string version;  ///< of serval
  std::vector<std::pair<std::string, std::string>> attributes;
};

/// An ExportTraceServiceRequest in the JSON of OTLP 1.x (opentelemetry-proto, "JSON Protobuf Encoding"): ids are hex,
/// 64-bit numbers are texts. Names of attributes are OpenTelemetry's for HTTP servers (semantic conventions 1.2x); what
/// has none begins with "serval.". Pure.
std::string otlp_request(std::span<const ipc::Span> spans, const TraceResource& resource);

}  // namespace serval::admin
