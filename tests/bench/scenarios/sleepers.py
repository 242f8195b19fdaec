"""Handlers that only wait: every app thread has to be used all the time."""

from load import loaded, median
from result import Result
from servers import Serval
from table import Table

TITLE = "handlers that sleep 10 ms, five workers of five threads"

POSSIBLE = 5 * 5 / 0.010


def run(bench):
    def measure():
        with Serval(bench, "faulty", {"workers": {"count": 5, "threads": 5}}) as server:
            return loaded(bench, server, "/sleep?ms=10")

    loads = bench.interleaved({"serval": measure})["serval"]
    row = median(loads)
    share = row["rps"] / POSSIBLE
    table = Table("Sleeping handlers", ["req/s", "of 2,500", "CPU us/req", "p50 ms", "p99 ms", "errors"])
    table.add(row["rps"], share, row["cpu_us"], row["p50_ms"], row["p99_ms"], row["errors"])
    return Result([table], {"sleepers.share": share})
