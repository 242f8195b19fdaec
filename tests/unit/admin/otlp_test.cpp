#include "admin/otlp.hpp"

#include <gtest/gtest.h>

#include <array>

namespace serval::admin {
namespace {

TEST(Otlp, ASpanWithItsEvents) {
  ipc::Span span;
  span.trace_id = {0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c};
  span.span_id = {0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31};
  span.parent_id = {1, 2, 3, 4, 5, 6, 7, 8};
  span.status = 503;
  span.slot = 2;
  span.pid = 77;
  span.generation = 4;
  span.begin_ns = 1'700'000'000'000'000'001;
  span.complete_ns = 1'700'000'000'000'000'002;
  span.started_ns = 1'700'000'000'000'000'003;
  span.end_ns = 1'700'000'000'000'000'005;
  span.put(ipc::Span::method, "GET");
  span.put(ipc::Span::path, "/a\xff");
  const std::array spans{span};
  EXPECT_EQ(
      otlp_request(spans, {"shop", "0.1.0", {{"region", "eu"}}}),
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},)"
      R"({"key":"telemetry.sdk.name","value":{"stringValue":"serval"}},{"key":"telemetry.sdk.language","value":{"stringValue":"cpp"}},)"
      R"({"key":"telemetry.sdk.version","value":{"stringValue":"0.1.0"}},{"key":"region","value":{"stringValue":"eu"}}]},)"
      R"("scopeSpans":[{"scope":{"name":"serval","version":"0.1.0"},"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c",)"
      R"("spanId":"b7ad6b7169203331","name":"GET","kind":2,"startTimeUnixNano":"1700000000000000001",)"
      R"("endTimeUnixNano":"1700000000000000005","attributes":[{"key":"http.request.method","value":{"stringValue":"GET"}},)"
      "{\"key\":\"url.path\",\"value\":{\"stringValue\":\"/a\xef\xbf\xbd\"}},"
      R"({"key":"network.protocol.version","value":{"stringValue":"1.1"}},{"key":"http.response.status_code","value":{"intValue":"503"}},)"
      R"({"key":"error.type","value":{"stringValue":"503"}},{"key":"serval.slot","value":{"intValue":"2"}},)"
      R"({"key":"serval.generation","value":{"intValue":"4"}},{"key":"process.pid","value":{"intValue":"77"}}],)"
      R"("events":[{"timeUnixNano":"1700000000000000002","name":"request complete"},)"
      R"({"timeUnixNano":"1700000000000000003","name":"handler started"}],"status":{"code":2},"parentSpanId":"0102030405060708"}]}]}]})");
}

}  // namespace
}  // namespace serval::admin
