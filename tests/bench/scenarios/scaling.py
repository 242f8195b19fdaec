"""From one worker to a hundred, from one connection to ten thousand."""

import statistics

from load import wrk
from plot import Plot
from result import Result
from scenarios.idle import possible
from servers import Serval
from table import Table

TITLE = "workers by connections, the smallest request"

WORKERS, CONNECTIONS = (1, 2, 5, 20, 100), (1, 64, 1000, 10_000)
OPENED_IN_A_SECOND = 2000  # connections, at the least; they get that much more time


def run(bench):
    connections = [min(count, possible()) for count in CONNECTIONS]
    cpu = {(workers, count): [] for workers in WORKERS for count in connections}
    errors = dict.fromkeys(cpu, 0)

    def measure(workers):
        with Serval(bench, config={"workers": {"count": workers}}) as server:
            for count in connections:
                before = server.cpu_seconds()
                result = wrk(bench, server.url, count, bench.seconds + count // OPENED_IN_A_SECOND)
                if result["requests"] > count:
                    cpu[workers, count].append((server.cpu_seconds() - before) * 1e6 / result["requests"])
                errors[workers, count] += result["errors"] + result["bad_status"]

    bench.interleaved({f"{workers} workers": lambda workers=workers: measure(workers) for workers in WORKERS}, rounds=min(bench.rounds, 2))
    table = Table("CPU us per request", ["workers", *(f"{count:,} connections" for count in connections)],
                  note="Five threads each; opening the connections is included. Without a figure: hardly a connection was served in time. "
                       f"Errors: {sum(errors.values())}.")
    plot = Plot("scaling: CPU time per request", "relative to 5 workers and 64 connections; less is better")
    median = {key: statistics.median(values) if values else None for key, values in cpu.items()}
    for workers in WORKERS:
        table.add(workers, *(median[workers, count] for count in connections))
        for count in connections:
            if median[workers, count] and median[5, 64]:
                plot.add(f"{workers} workers, {count:,} connections", median[workers, count] / median[5, 64])
    return Result([table], plots=[plot])
