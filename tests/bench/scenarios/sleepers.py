"""Handlers that only wait: every app thread has to be used all the time, also by those that wait so briefly that they never overstay."""

from load import loaded, median
from result import Result
from servers import Serval
from table import Table

TITLE = "handlers that sleep, five workers of five threads"

LONG, BRIEF = "10 ms", "0.5 ms"
POSSIBLE = {LONG: 5 * 5 / 0.010, BRIEF: 5 * 5 / 0.0005}


def run(bench):
    def measure(path):
        with Serval(bench, "faulty", {"workers": {"count": 5, "threads": 5}}) as server:
            return loaded(bench, server, path)

    rounds = bench.interleaved({LONG: lambda: measure("/sleep?ms=10"), BRIEF: lambda: measure("/sleep?us=500")})
    table = Table("Sleeping handlers", ["sleep", "req/s", "of those possible", "CPU us/req", "p50 ms", "p99 ms", "errors"],
                  note=f"Of the {POSSIBLE[BRIEF]:,.0f} a second that {BRIEF} allow for, the CPUs are the limit long before.")
    for sleep, loads in rounds.items():
        row = median(loads)
        table.add(sleep, row["rps"], row["rps"] / POSSIBLE[sleep], row["cpu_us"], row["p50_ms"], row["p99_ms"], row["errors"])
    return Result([table], {"sleepers.share": median(rounds[LONG])["rps"] / POSSIBLE[LONG]})
