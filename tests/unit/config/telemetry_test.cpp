#include "config/telemetry.hpp"

#include <gmock/gmock.h>

namespace serval::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(Telemetry, IsOffUnlessAnEndpointIsNamed) {
  EXPECT_FALSE(telemetry_from({}).traces);
  EXPECT_FALSE(telemetry_from({{"OTEL_SERVICE_NAME", "shop"}}).traces);
  EXPECT_FALSE(telemetry_from({{"OTEL_EXPORTER_OTLP_ENDPOINT", ""}}).traces);
  EXPECT_FALSE(telemetry_from({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1"}, {"OTEL_SDK_DISABLED", "true"}}).traces);
  EXPECT_FALSE(
      telemetry_from({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1"}, {"OTEL_TRACES_EXPORTER", "none"}}).traces);
}

TEST(Telemetry, Endpoints) {
  struct Row {
    const char* name;
    const char* url;
    const char* host;
    const char* port;
    const char* path;
  };
  const Row table[] = {
      {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318", "localhost", "4318", "/v1/traces"},
      {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector/", "collector", "4318", "/v1/traces"},
      {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://10.0.0.7:80/otlp/", "10.0.0.7", "80", "/otlp/v1/traces"},
      {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://[::1]:9/here", "::1", "9", "/here"},
      {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:9", "c", "9", "/"},
  };
  for (const Row& row : table) {
    const Telemetry telemetry = telemetry_from({{row.name, row.url}});
    EXPECT_TRUE(telemetry.traces) << row.url;
    EXPECT_EQ(telemetry.host, row.host);
    EXPECT_EQ(telemetry.port, row.port);
    EXPECT_EQ(telemetry.path, row.path);
    EXPECT_THAT(telemetry.problems, IsEmpty());
  }
}

TEST(Telemetry, WhatCannotBeFollowedIsSaidWithoutItsSecrets) {
  for (const char* url :
       {"https://c:1", "c:4318", "http://", "http://c:0", "http://c:99999", "http://c:x", "http://user:hunter2@c:1"}) {
    const Telemetry telemetry = telemetry_from({{"OTEL_EXPORTER_OTLP_ENDPOINT", url}});
    EXPECT_FALSE(telemetry.traces) << url;
    EXPECT_THAT(telemetry.problems, ElementsAre(HasSubstr("OTEL_EXPORTER_OTLP_ENDPOINT: "))) << url;
    EXPECT_THAT(telemetry.problems, Not(ElementsAre(HasSubstr("hunter2"))));
  }
  EXPECT_FALSE(
      telemetry_from({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}}).traces);
  const Telemetry odd = telemetry_from({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}, {"OTEL_TRACES_SAMPLER", "some"}});
  EXPECT_TRUE(odd.traces);
  EXPECT_THAT(odd.problems, ElementsAre(HasSubstr("all traces are kept")));
}

TEST(Telemetry, TheRest) {
  const Telemetry telemetry =
      telemetry_from({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"},
                      {"OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%3Db, x = y,,odd"},
                      {"OTEL_EXPORTER_OTLP_TIMEOUT", "250"},
                      {"OTEL_RESOURCE_ATTRIBUTES", "service.name=other,region=eu%20west,service.version=7"},
                      {"OTEL_SERVICE_NAME", "shop"}});
  EXPECT_THAT(telemetry.headers, ElementsAre(Pair("api-key", "a=b"), Pair("x", "y")));
  EXPECT_EQ(telemetry.timeout, Duration(250));
  EXPECT_EQ(telemetry.service, "shop");
  EXPECT_THAT(telemetry.attributes, ElementsAre(Pair("region", "eu west"), Pair("service.version", "7")));
}

}  // namespace
}  // namespace serval::config
