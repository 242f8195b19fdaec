#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/sampler.hpp"
#include "base/time.hpp"
#include "config/load.hpp"

/// What OpenTelemetry's variables ask of us (OpenTelemetry specification 1.x: environment variables, OTLP exporter).
/// They are the standard's, so they are no options of ours.
namespace serval::config {

struct Telemetry {
  bool traces = false;  ///< an endpoint is named, and nothing says otherwise
  Sampler sampler;
  std::string host;  ///< of the collector
  std::string port;
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;  ///< may hold passwords: not for logs
  Duration timeout{10'000};
  std::string service;                                          ///< empty: server.name
  std::vector<std::pair<std::string, std::string>> attributes;  ///< of the resource
  std::vector<std::string> problems;  ///< what cannot be followed, without values that may be secret
};
Telemetry telemetry_from(const Environment& environment);

}  // namespace serval::config
