#include "config/telemetry.hpp"

#include <charconv>
#include <string_view>

#include "base/text.hpp"

namespace serval::config {
namespace {

std::string value_of(const Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

/// "a=1,b=2", percent-encoded as W3C Baggage has it.
std::vector<std::pair<std::string, std::string>> pairs_of(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string_view part : split(text, ',')) {
    const auto equals = part.find('=');
    if (equals == part.npos) continue;
    const std::string name(trim(part.substr(0, equals)));
    if (!name.empty()) pairs.emplace_back(name, percent_decoded(trim(part.substr(equals + 1))));
  }
  return pairs;
}

/// Of "http://host:port/path"; the error is a sentence.
Result<void> read_endpoint(std::string_view url, std::string_view end, Telemetry& telemetry) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme))
    return Error{"expected http://HOST:PORT; for TLS let a collector beside serval pass it on"};
  url.remove_prefix(kScheme.size());
  const auto slash = url.find('/');
  std::string_view authority = url.substr(0, slash);
  std::string_view path = slash == url.npos ? std::string_view() : url.substr(slash);
  while (!end.empty() && path.ends_with('/')) path.remove_suffix(1);
  if (authority.find('@') != authority.npos)
    return Error{"a user and password cannot be part of it: use OTEL_EXPORTER_OTLP_HEADERS"};
  const auto bracket = authority.find(']');
  const auto colon = authority.find(':', bracket == authority.npos ? 0 : bracket);
  telemetry.host = authority.substr(0, colon);
  telemetry.port = colon == authority.npos ? "4318" : std::string(authority.substr(colon + 1));
  if (telemetry.host.starts_with('[') && telemetry.host.ends_with(']'))
    telemetry.host = telemetry.host.substr(1, telemetry.host.size() - 2);
  telemetry.path = std::string(path) + std::string(end);
  if (telemetry.path.empty()) telemetry.path = "/";
  unsigned port = 0;
  const auto& digits = telemetry.port;
  const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (telemetry.host.empty() || error != std::errc() || last != digits.data() + digits.size() || port == 0 ||
      port > 65535)
    return Error{"expected http://HOST:PORT"};
  return {};
}

}  // namespace

Telemetry telemetry_from(const Environment& environment) {
  Telemetry telemetry;
  const auto of = [&](std::string_view name) { return value_of(environment, name); };
  const auto refuse = [&](std::string_view name, const std::string& why) {
    telemetry.problems.push_back(std::string(name) + ": " + why + "; nothing is traced");
    telemetry.traces = false;
  };
  const std::string own = of("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  const std::string general = of("OTEL_EXPORTER_OTLP_ENDPOINT");
  if (own.empty() && general.empty()) return telemetry;
  const std::string exporter = of("OTEL_TRACES_EXPORTER");
  if (of("OTEL_SDK_DISABLED") == "true" || exporter == "none") return telemetry;
  telemetry.traces = true;
  if (!exporter.empty() && exporter != "otlp") refuse("OTEL_TRACES_EXPORTER", "expected otlp or none");
  const std::string_view endpoint_name =
      own.empty() ? "OTEL_EXPORTER_OTLP_ENDPOINT" : "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
  if (const auto read = read_endpoint(own.empty() ? general : own, own.empty() ? "/v1/traces" : "", telemetry); !read)
    refuse(endpoint_name, read.error());
  std::string protocol = of("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL");
  if (protocol.empty()) protocol = of("OTEL_EXPORTER_OTLP_PROTOCOL");
  if (protocol == "grpc") refuse("OTEL_EXPORTER_OTLP_PROTOCOL", "spans are sent over HTTP, as http/json");
  if (const auto sampler = parse_sampler(of("OTEL_TRACES_SAMPLER"), of("OTEL_TRACES_SAMPLER_ARG"))) {
    telemetry.sampler = *sampler;
  } else {
    telemetry.problems.push_back(sampler.error() + "; all traces are kept");
  }
  std::string headers = of("OTEL_EXPORTER_OTLP_TRACES_HEADERS");
  if (headers.empty()) headers = of("OTEL_EXPORTER_OTLP_HEADERS");
  telemetry.headers = pairs_of(headers);
  std::string timeout = of("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT");
  if (timeout.empty()) timeout = of("OTEL_EXPORTER_OTLP_TIMEOUT");
  if (int ms = 0; std::from_chars(timeout.data(), timeout.data() + timeout.size(), ms).ec == std::errc() && ms > 0)
    telemetry.timeout = Duration(ms);
  telemetry.service = of("OTEL_SERVICE_NAME");
  for (auto& [name, value] : pairs_of(of("OTEL_RESOURCE_ATTRIBUTES"))) {
    if (name == "service.name") {
      if (telemetry.service.empty()) telemetry.service = value;
    } else {
      telemetry.attributes.emplace_back(std::move(name), std::move(value));
    }
  }
  return telemetry;
}

}  // namespace serval::config
