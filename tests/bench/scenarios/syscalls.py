"""The system calls of a request, counted by strace."""

import re
import signal
import subprocess

from http_client import wait_until
from result import Result
from servers import Serval
from table import Table

TITLE = "system calls of one keep-alive request"

REQUESTS = 500


def run(bench):
    strace = bench.tool("strace")
    with Serval(bench, config={"workers": {"count": 1, "heartbeat_timeout": "0"}}) as server, server.client() as client:
        client.get()
        out, log = bench.path("strace"), bench.path("strace-log")
        with open(log, "wb") as file:
            tracer = subprocess.Popen([strace, "-f", "-c", "-o", out, "-p", str(server.worker_pids()[0])], stdin=subprocess.DEVNULL, stderr=file)
        try:
            wait_until(lambda: tracer.poll() is not None or "attached" in text(log), "strace to attach")
            for _ in range(REQUESTS):
                client.get()
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
    counts = {row[1]: int(row[0]) for row in re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+ )?\s*(\w+)$", text(out), re.MULTILINE)}
    counts.pop("total", None)
    if not counts:
        raise AssertionError(f"strace has counted nothing: {text(log)[:300]}")
    table = Table("System calls", ["call", "for each request"],
                  note=f"Of all threads of a worker, over {REQUESTS} requests one after the other. A tracer slows down what it traces, so some of the "
                       "threads that watch over slow handlers wake up more often than without.")
    for name, count in sorted(counts.items(), key=lambda item: -item[1]):
        if count / REQUESTS >= 0.01:
            table.add(name, count / REQUESTS)
    table.add("all", sum(counts.values()) / REQUESTS)
    return Result([table])


def text(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
