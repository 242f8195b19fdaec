"""One worker more for an app that has preloaded a gigabyte: it shares that with the others."""

import signal
import statistics
import time

import processes
from bench import Missing
from result import Result
from scoreboard import Scoreboard
from servers import Serval
from table import Table

TITLE = "a worker more, after preloading 1 GiB"

MIB = 1024


def run(bench):
    if processes.available_mib() < 2 * MIB:
        raise Missing(f"less than {2 * MIB} MiB of memory are available")
    ready, private, pss = [], [], []

    def measure():
        with Serval(bench, "faulty", {"workers": {"count": 2}}, args=[f"preload=memory:{MIB}"]) as server, Scoreboard(server.process.pid) as board:
            known = {it.pid for it in board.serving()}
            begin = time.monotonic()
            server.process.send_signal(signal.SIGTTIN)
            while not (new := {it.pid for it in board.serving()} - known):
                if time.monotonic() > begin + 60:
                    raise AssertionError("no third worker serves within 60 s")
                time.sleep(0.0005)
            ready.append((time.monotonic() - begin) * 1e3)
            with server.client() as client:
                client.get()
            private.append(processes.memory_kib(new, "Private_.*") / 1024)
            pss.append(processes.memory_kib(server.pids, "Pss") / 1024)

    bench.interleaved({"serval": measure})
    table = Table("A worker more", ["round", "serves after ms", "its private memory MiB", "memory of all processes MiB"])
    for number, row in enumerate(zip(ready, private, pss), 1):
        table.add(number, *row)
    return Result([table], {"preloaded.ready": statistics.median(ready), "preloaded.private": statistics.median(private)})
