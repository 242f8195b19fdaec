"""What the master costs, and how quiet everybody is when nobody asks."""

import os
import statistics
import time

import processes
from result import Result
from servers import Serval
from table import Table

TITLE = "the master, and an idle server"

IDLE = 2.5  # times the seconds of a round
SETTLING = 7  # seconds; the one request that showed that it serves has left a timer of five
SILENT = {"heartbeat_timeout": "0"}


def run(bench):
    sizes = (5, 200)
    cases = {f"{count} workers{', no heartbeat' if quiet else ''}": (count, quiet) for count in sizes for quiet in (False, True)}

    def measure(count, quiet):
        with Serval(bench, config={"workers": {"count": count, **(SILENT if quiet else {})}}) as server:
            time.sleep(SETTLING)
            pids = server.pids
            pss = processes.memory_kib([server.process.pid], "Pss") / 1024
            cpu, wakeups, begin = processes.exact_cpu_seconds(server.process.pid), processes.wakeups(pids), time.monotonic()
            time.sleep(IDLE * bench.seconds)
            spent = time.monotonic() - begin
            return {"pss": pss, "rss": rss_mib(server.process.pid), "cpu_ms": (processes.exact_cpu_seconds(server.process.pid) - cpu) * 1e3,
                    "wakeups": (processes.wakeups(pids) - wakeups) / spent, "descriptors": len(os.listdir(f"/proc/{server.process.pid}/fd"))}

    rounds = bench.interleaved({name: lambda case=case: measure(*case) for name, case in cases.items()}, rounds=min(bench.rounds, 2))
    table = Table("The master, idle", ["server", "master's PSS MiB", "its RSS MiB", "its descriptors", f"its CPU ms in {IDLE * bench.seconds:g} s",
                                       "wake-ups/s of all processes"],
                  note="A worker beats four times in heartbeat_timeout, at least every 5 s; without heartbeats nothing is configured to wake anybody.")
    for name, rows in rounds.items():
        table.add(name, *(statistics.median(row[key] for row in rows) for key in ("pss", "rss", "descriptors", "cpu_ms", "wakeups")))
    return Result([table], {"master.pss": statistics.median(row["pss"] for row in rounds["5 workers"]),
                            "master.wakeups": max(statistics.median(row["wakeups"] for row in rounds[f"{count} workers, no heartbeat"]) for count in sizes)})


def rss_mib(pid):
    return processes.memory_kib([pid], "Rss") / 1024
