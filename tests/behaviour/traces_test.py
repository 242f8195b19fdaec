"""Traces: with OpenTelemetry's variables set, each request is a span of its client's trace, and whatever becomes of the collector
costs no request anything."""

import http.server
import json
import threading
import unittest

from admin_endpoints import Admin
from http_client import wait_until

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector:
    """A small one: keeps what it is sent, and answers as it is told."""

    def __init__(self):
        self.requests = []
        self.status = 200
        self.stall = threading.Event()
        self.stall.set()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.stall.wait(60)
                collector.requests.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(collector.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                try:
                    self.wfile.write(b"{}")
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = "http://127.0.0.1:{}".format(self.server.server_address[1])

    def close(self):
        self.stall.set()
        self.server.shutdown()
        self.server.server_close()

    def spans(self):
        return [span for _, _, body in self.requests for resource in body["resourceSpans"]
                for scope in resource["scopeSpans"] for span in scope["spans"]]


class Traces(Admin):
    def setUp(self):
        super().setUp()
        self.collector = Collector()
        self.addCleanup(self.collector.close)

    def start_traced(self, env=None, **options):
        return self.start_admin(env={"OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.url, **(env or {})}, **options)

    def wait_spans(self, count):
        wait_until(lambda: len(self.collector.spans()) >= count, lambda: f"{count} spans; there are {len(self.collector.spans())}")
        return self.collector.spans()

    @staticmethod
    def attributes(span):
        return {entry["key"]: next(iter(entry["value"].values())) for entry in span["attributes"]}

    def test_a_request_is_a_span_of_its_clients_trace(self):
        serval = self.start_traced(env={"OTEL_SERVICE_NAME": "till", "OTEL_EXPORTER_OTLP_HEADERS": "api-key=hunter2"})
        serval.get("/some/where?a=1", [("traceparent", PARENT), ("User-Agent", "tester/1")])
        span, = self.wait_spans(1)
        self.assertEqual((span["traceId"], span["parentSpanId"]), ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"))
        attributes = self.attributes(span)
        self.assertEqual([attributes[key] for key in ("http.request.method", "url.path", "url.query", "http.response.status_code",
                                                      "user_agent.original", "client.address")],
                         ["GET", "/some/where", "a=1", "200", "tester/1", "127.0.0.1"])
        self.assertEqual([event["name"] for event in span["events"]], ["request complete", "handler started", "handler returned"])
        times = [int(span["startTimeUnixNano"]), *(int(event["timeUnixNano"]) for event in span["events"]), int(span["endTimeUnixNano"])]
        self.assertLess(times[-1] - times[0], 60e9)
        path, headers, body = self.collector.requests[0]
        self.assertEqual((path, headers["api-key"]), ("/v1/traces", "hunter2"))
        resource = {entry["key"]: entry["value"]["stringValue"] for entry in body["resourceSpans"][0]["resource"]["attributes"]}
        self.assertEqual(resource["service.name"], "till")
        self.assertNotIn("hunter2", serval.log())
        wait_until(lambda: self.metrics(serval)["serval_spans_exported_total"] == 1, "the span to count")

    def test_a_request_without_a_trace_begins_one(self):
        serval = self.start_traced()
        serval.get("/")
        serval.get("/", [("traceparent", "00-nonsense")])
        first, second = self.wait_spans(2)
        self.assertNotIn("parentSpanId", first)
        self.assertRegex(first["traceId"], r"^[0-9a-f]{32}$")
        self.assertNotEqual(first["traceId"], second["traceId"])

    def test_the_app_is_told_its_own_span(self):
        serval = self.start_traced()
        told = serval.get("/traceparent", [("traceparent", PARENT)]).text
        span, = self.wait_spans(1)
        self.assertEqual(told, f"00-{span['traceId']}-{span['spanId']}-01")

    def test_sampling_is_the_standards(self):
        serval = self.start_traced(env={"OTEL_TRACES_SAMPLER": "parentbased_always_off"})
        serval.get("/left")
        serval.get("/left", [("traceparent", PARENT[:-2] + "00")])
        serval.get("/kept", [("traceparent", PARENT)])
        span, = self.wait_spans(1)
        self.assertEqual(self.attributes(span)["url.path"], "/kept")

    def test_redacted_parameters_stay_so(self):
        serval = self.start_traced(config={"log": {"redact": ["token"]}})
        serval.get("/?token=s3cr3t&b=2")
        span, = self.wait_spans(1)
        self.assertEqual(self.attributes(span)["url.query"], "token=[redacted]&b=2")

    def test_a_collector_that_stalls_costs_nothing_but_a_counter(self):
        self.collector.stall.clear()
        serval = self.start_traced(env={"OTEL_EXPORTER_OTLP_TIMEOUT": "100"})
        for _ in range(50):
            self.assertEqual(serval.get("/").status, 200)
        serval.expect_log(r"admin .*the collector does not take spans")
        self.assertEqual(self.look(serval, "/livez").status, 200)
        self.collector.stall.set()
        serval.expect_log(r"admin .*the collector takes spans again")

    def test_a_collector_that_refuses_for_good_is_not_asked_again(self):
        self.collector.status = 400
        serval = self.start_traced()
        serval.get("/")
        wait_until(lambda: self.metrics(serval)['serval_spans_dropped_total{reason="collector"}'] == 1, "the drop to count")
        self.assertEqual(len(self.collector.requests), 1)

    def test_a_reload_and_an_upgrade_go_on_tracing(self):
        serval = self.start_traced()
        self.order("reload")
        self.order("upgrade")
        serval.get("/", [("traceparent", PARENT)])
        self.wait_spans(1)

    def test_wrong_settings_are_said_and_the_server_serves(self):
        serval = self.start_admin(env={"OTEL_EXPORTER_OTLP_ENDPOINT": "https://user:hunter2@example.org"})
        self.assertRegex(serval.log(), r"warning? +master .*OTEL_EXPORTER_OTLP_ENDPOINT: expected http://HOST:PORT; .*nothing is traced")
        self.assertNotIn("hunter2", serval.log())
        self.assertEqual(serval.get("/traceparent").text, "none")


if __name__ == "__main__":
    unittest.main()
