"""One of two workers with one thread each is busy for ten seconds, its sibling is free."""

import statistics
import time

from http_client import request_bytes
from load import Pace, percentile
from result import Result
from servers import Serval
from table import Table

TITLE = "one worker's only thread pinned for 10 s, beside a free one"

PINNED, SETTLING = 10, 1  # seconds


def run(bench):
    table = Table("A pinned worker", ["round", "requests", "failed", "how", "p50 ms", "p99 ms", "slowest ms", "slowest of all ms"],
                  note=f"16 keep-alive connections, opened before, 200 requests per second. Percentiles are of requests that were due from {SETTLING} s "
                       "after the handler began to sleep until it ended; the last column is of all requests, those before included.")
    failed, p99 = [], []

    def measure():
        with Serval(bench, "faulty", {"workers": {"count": 2, "threads": 1}}) as server:
            with server.client() as pinning, Pace(bench, server, rate=200, connections=16, seconds=PINNED + 2, timeout=30) as pace:
                time.sleep(1)  # its connections reach both
                begin = time.monotonic()
                pinning.send(request_bytes(target=f"/sleep?ms={PINNED * 1000}"))
                pinning.read_response()
                end = time.monotonic()
            settled = [it for it in pace.asked if begin + SETTLING <= it.due <= end]
            failed.append(pace.failed())
            p99.append(percentile(settled, 0.99))
            table.add(len(table.rows) + 1, len(pace.asked), pace.failed(), pace.kinds(), percentile(settled, 0.5), percentile(settled, 0.99),
                      percentile(settled, 1), percentile(pace.asked, 1))

    bench.interleaved({"serval": measure}, rounds=min(bench.rounds, 2))
    return Result([table], {"pinned.failed": sum(failed), "pinned.p99": statistics.median(p99)})
