"""How soon a server answers after it was started."""

import statistics
import time

from bench import Missing
from result import Result
from servers import Nginx, Serval, first_answer, free_port
from table import Table

TITLE = "from exec to the first answer"

EACH_ROUND = 3


def time_to_answer(server, start, port):
    """Milliseconds."""
    begin = time.monotonic()
    try:
        start()
        while not first_answer(port() if callable(port) else port):
            if server.process.poll() is not None:
                raise AssertionError(f"{server.process.args} ended before it answered")
            time.sleep(0.0002)
        return (time.monotonic() - begin) * 1e3
    finally:
        server.stop()


def boot_serval(bench):
    port = free_port()
    server = Serval(bench, config={"server": {"bind": [f"127.0.0.1:{port}"]}})
    return time_to_answer(server, server.launch, port)


def boot_nginx(bench):
    server = Nginx(bench)
    return time_to_answer(server, server.start, lambda: server.port)


def run(bench):
    cases = {"serval": lambda: boot_serval(bench)}
    note = "The first answer of serval is one of the app, loaded and forked by then; nginx answers from its configuration."
    try:
        bench.tool("nginx")
        cases["nginx"] = lambda: boot_nginx(bench)
    except Missing as missing:
        note += f" {missing}: its row is left out."
    times = bench.interleaved(cases, bench.rounds * EACH_ROUND)
    table = Table("Boot", ["server", "median ms", "fastest ms", "slowest ms", "times"], note=note)
    for name, each in times.items():
        table.add(name, statistics.median(each), min(each), max(each), len(each))
    figures = {}
    if "nginx" in times:
        figures["boot.to_nginx"] = statistics.median(times["serval"]) / statistics.median(times["nginx"])
    return Result([table], figures)
