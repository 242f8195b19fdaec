#include "admin/otlp.hpp"

#include <boost/json.hpp>

#include "base/text.hpp"
#include "control/protocol.hpp"
#include "http/authority.hpp"

namespace serval::admin {
namespace {

namespace json = boost::json;

constexpr int kServer = 2;  // SpanKind
constexpr int kError = 2;   // StatusCode

json::object attribute(std::string_view name, json::object value) {
  return {{"key", control::utf8(name)}, {"value", std::move(value)}};
}
json::object attribute(std::string_view name, std::string_view text) {
  return attribute(name, json::object{{"stringValue", control::utf8(text)}});
}
json::object attribute(std::string_view name, std::int64_t number) {
  return attribute(name, json::object{{"intValue", std::to_string(number)}});
}

json::object event(std::string_view name, std::int64_t at) {
  return {{"timeUnixNano", std::to_string(at)}, {"name", control::utf8(name)}};
}

template <class Id>
std::string hex(const Id& id) {
  return serval::hex({reinterpret_cast<const char*>(id.data()), id.size()});
}

/// Two attributes of the one field (RFC 9110 §7.2: host, and a port if it is not the scheme's).
void add_server(json::array& attributes, std::string_view authority) {
  const http::HostAndPort server = http::split_authority(authority);
  if (!server.host.empty()) attributes.push_back(attribute("server.address", server.host));
  if (server.port) attributes.push_back(attribute("server.port", *server.port));
}

json::array attributes_of(const ipc::Span& span) {
  struct Row {
    ipc::Span::Text text;
    std::string_view name;
  };
  constexpr Row kTexts[] = {{ipc::Span::method, "http.request.method"},
                            {ipc::Span::path, "url.path"},
                            {ipc::Span::query, "url.query"},
                            {ipc::Span::scheme, "url.scheme"},
                            {ipc::Span::client, "client.address"},
                            {ipc::Span::user_agent, "user_agent.original"},
                            {ipc::Span::request_id, "serval.request_id"}};
  json::array result;
  for (const Row& row : kTexts) {
    if (const std::string_view text = span.get(row.text); !text.empty()) result.push_back(attribute(row.name, text));
  }
  add_server(result, span.get(ipc::Span::host));
  result.push_back(attribute("network.protocol.version", span.minor_version == 0 ? "1.0" : "1.1"));
  if (span.status > 0) result.push_back(attribute("http.response.status_code", span.status));
  if (span.status >= 500) result.push_back(attribute("error.type", std::to_string(span.status)));
  result.push_back(attribute("serval.slot", span.slot));
  result.push_back(attribute("serval.generation", span.generation));
  result.push_back(attribute("process.pid", span.pid));
  return result;
}

/// Where the time went: until it was complete it came, until it started it waited for a thread.
json::array events_of(const ipc::Span& span) {
  json::array events;
  if (span.complete_ns != 0) events.push_back(event("request complete", span.complete_ns));
  if (span.started_ns != 0) events.push_back(event("handler started", span.started_ns));
  if (span.handled_ns != 0) events.push_back(event("handler returned", span.handled_ns));
  return events;
}

json::object span_of(const ipc::Span& span) {
  const std::string_view method = span.get(ipc::Span::method);
  json::object result{{"traceId", hex(span.trace_id)},
                      {"spanId", hex(span.span_id)},
                      {"name", control::utf8(method.empty() ? "HTTP" : method)},
                      {"kind", kServer},
                      {"startTimeUnixNano", std::to_string(span.begin_ns)},
                      {"endTimeUnixNano", std::to_string(std::max(span.end_ns, span.begin_ns))},
                      {"attributes", attributes_of(span)},
                      {"events", events_of(span)},
                      {"status", span.status >= 500 ? json::object{{"code", kError}} : json::object{}}};
  if (span.parent_id != decltype(span.parent_id){}) result["parentSpanId"] = hex(span.parent_id);
  return result;
}

}  // namespace

std::string otlp_request(std::span<const ipc::Span> spans, const TraceResource& resource) {
  json::array of_resource{attribute("service.name", resource.service), attribute("telemetry.sdk.name", "serval"),
                          attribute("telemetry.sdk.language", "cpp"),
                          attribute("telemetry.sdk.version", resource.version)};
  for (const auto& [name, value] : resource.attributes) of_resource.push_back(attribute(name, value));
  json::array all;
  for (const ipc::Span& span : spans) all.push_back(span_of(span));
  const json::object scope{{"name", "serval"}, {"version", control::utf8(resource.version)}};
  const json::object document{
      {"resourceSpans", json::array{json::object{
                            {"resource", json::object{{"attributes", std::move(of_resource)}}},
                            {"scopeSpans", json::array{json::object{{"scope", scope}, {"spans", std::move(all)}}}}}}}};
  return json::serialize(document);
}

}  // namespace serval::admin
