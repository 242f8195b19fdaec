"""A few slow requests among many fast ones.

Saturation is what wrk gets of this mix with 64 connections. At half of that rate the requests are sent at fixed times, whatever the answers do; the
time of each counts from when it was due, so one that waits behind a slow one counts in full.
"""

import statistics

from load import Pace, percentile, wrk
from result import Result
from servers import Serval
from table import Table

TITLE = "2 % of the requests sleep 100 ms, at half of saturation"

SLOW, EVERY = "/sleep?ms=100", 50


def run(bench):
    table = Table("Slow among fast", ["round", "saturation req/s", "asked req/s", "fast p50 ms", "fast p99 ms", "fast p99.9 ms", "slow p50 ms", "slow p99 ms",
                                      "failed"])

    def measure():
        with Serval(bench, "faulty", {"workers": {"count": 5, "threads": 5}}) as server:
            saturated = wrk(bench, server.url, slow=SLOW, every=EVERY)
            server.wait_calm()  # the last slow ones of that are no part of what follows
            rps = saturated["requests"] / saturated["seconds"]
            pace = Pace(bench, server, rate=int(rps / 2), slow=SLOW, every=EVERY).run()
            fast, slow = [it for it in pace.asked if not it.slow], [it for it in pace.asked if it.slow]
            table.add(len(table.rows) + 1, rps, int(rps / 2), *(percentile(fast, share) for share in (0.5, 0.99, 0.999)),
                      *(percentile(slow, share) for share in (0.5, 0.99)), pace.failed())
            return percentile(fast, 0.99)

    return Result([table], {"mixed.fast_p99": statistics.median(bench.interleaved({"serval": measure})["serval"])})
