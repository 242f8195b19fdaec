"""Ten thousand connections that are kept alive and do nothing."""

import resource
import statistics

import processes
from clients import IdleConnections
from load import loaded, median, ratio
from result import Result
from servers import Serval
from table import Table

TITLE = "10,000 idle keep-alive connections"

WANTED = 10_000
SPARE = 500  # descriptors that the suite needs besides


def possible():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < WANTED + SPARE <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (WANTED + SPARE, hard))
    return min(WANTED, max(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1024) - SPARE)


def run(bench):
    count = possible()
    each, alone, beside, left = [], [], [], []

    def measure():
        with Serval(bench, config={"request": {"keep_alive": "10m"}}) as server:
            alone.append(loaded(bench, server))
            before = processes.memory_kib(server.worker_pids(), "Pss")
            with IdleConnections(server, count) as idle:
                each.append((processes.memory_kib(server.worker_pids(), "Pss") - before) / count)
                beside.append(loaded(bench, server))
                left.append(idle.open())

    bench.interleaved({"serval": measure})
    table = Table(f"{count:,} idle connections", ["hello over 64 connections", "req/s", "CPU us/req", "p50 ms", "p99 ms", "errors"],
                  note=f"{statistics.median(each):.2f} KiB of the workers' memory for each (median of {[round(it, 2) for it in each]}); "
                       f"{min(left):,} were still open at the end." + ("" if count == WANTED else f" The limit of open files allows no more than {count:,}."))
    for name, loads in (("alone", alone), ("beside them", beside)):
        row = median(loads)
        table.add(name, row["rps"], row["cpu_us"], row["p50_ms"], row["p99_ms"], row["errors"])
    return Result([table], {"idle.memory": statistics.median(each), "idle.cpu": ratio(beside, alone, "cpu_us"), "idle.rps": ratio(beside, alone, "rps")})
