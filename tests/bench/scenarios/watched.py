"""What it costs to be looked at: health, metrics, traces, StatsD and slow-request lines all on, a profile while it is taken, and a scrape."""

import contextlib
import http.server
import os
import socket
import statistics
import subprocess
import threading
import time

from http_client import Client
from load import loaded, median, ratio
from result import Result
from servers import Serval, free_port
from table import Table

TITLE = "hello while it is watched, and what a scrape takes"

WATCHED = {"health": {"live": "/health", "ready": "/health/ready"}, "log": {"slow": "1s", "redact": ["token"]}, "request": {"answer_id": True}}
SCRAPES = 50
MANY = 100  # workers


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes all spans."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def collector():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def admin_at(port):
    """Where nothing is said, servers of tests have no admin process."""
    return {"SERVAL_ADMIN_BIND": f"127.0.0.1:{port}"}


def scrape(port):
    begin = time.monotonic()
    with Client(("127.0.0.1", port)) as client:
        if client.get("/metrics", [("Host", "localhost")]).status != 200:
            raise AssertionError("no metrics")
    return (time.monotonic() - begin) * 1e3


@contextlib.contextmanager
def scraped(port, interval=1):
    over = threading.Event()

    def ask():
        while not over.wait(interval):
            scrape(port)

    thread = threading.Thread(target=ask)
    thread.start()
    yield
    over.set()
    thread.join()


def run(bench):
    def plain():
        with Serval(bench) as server:
            return loaded(bench, server)

    def watched(sampled):
        admin = free_port()
        with collector() as port, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as statsd:
            statsd.bind(("127.0.0.1", 0))
            config = {**WATCHED, "admin": {"statsd": "127.0.0.1:{}".format(statsd.getsockname()[1])}}
            env = {**admin_at(admin), "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
                   "OTEL_TRACES_SAMPLER_ARG": sampled}
            with Serval(bench, config=config, env=env) as server, scraped(admin):
                return loaded(bench, server)

    def profiled(*words):
        with Serval(bench) as server:
            out = os.path.join(server.folder, "profile.folded")
            with subprocess.Popen([bench.program, "profile", "-c", server.file, "--seconds", str(int(bench.seconds + 3)), "-o", out, *words],
                                  stderr=subprocess.DEVNULL) as profile:
                load = loaded(bench, server)
                profile.wait()
            return load

    names = {"serval, nothing on": plain, "all on, 1 % of requests traced": lambda: watched("0.01"), "all on, all requests traced": lambda: watched("1"),
             "profiled, 100 Hz of wall time": profiled, "profiled, 100 Hz of CPU time": lambda: profiled("--cpu")}
    rounds = bench.interleaved(names)
    base = rounds["serval, nothing on"]
    table = Table("hello", ["server", "req/s", "CPU us/req", "x nothing on", "p99 ms", "errors"],
                  note="CPU time of all processes, the admin process included.")
    for name, loads in rounds.items():
        row = median(loads)
        table.add(name, row["rps"], row["cpu_us"], ratio(loads, base, "cpu_us"), row["p99_ms"], row["errors"])
    admin = free_port()
    with Serval(bench, config={"workers": {"count": MANY}}, env=admin_at(admin)) as server:
        server.wait_quiet()
        times = []
        for _ in range(SCRAPES):
            times.append(scrape(admin))
            time.sleep(0.05)
    scrapes = Table(f"GET /metrics, {MANY} workers", ["median ms", "slowest ms"])
    scrapes.add(statistics.median(times), max(times))
    return Result([table, scrapes], {"watched.cpu": ratio(rounds["all on, 1 % of requests traced"], base, "cpu_us"),
                                     "watched.profile": ratio(rounds["profiled, 100 Hz of wall time"], base, "cpu_us"),
                                     "watched.scrape": statistics.median(times)})
