"""Reloads again and again while four kinds of clients ask: GET and POST, over kept-alive connections and over fresh ones."""

import contextlib
import time

from bench import Missing
from load import Pace, longest_gap, percentile
from result import Result
from servers import Nginx, Serval
from table import Table

TITLE = "a reload every 1.5 s under load"

EVERY = 1.5
RATE, CONNECTIONS = 500, 8  # of each kind of client
CLIENTS = {"GET, kept alive": {}, "GET, fresh": {"fresh": 1}, "POST, kept alive": {"method": "POST", "body": 64},
           "POST, fresh": {"method": "POST", "body": 64, "fresh": 1}}


def run(bench):
    seconds = max(3 * bench.seconds, 5)

    def hammer(make, reload):
        times = []
        with make() as server:
            with contextlib.ExitStack() as stack:
                paces = {name: stack.enter_context(Pace(bench, server, rate=RATE, connections=CONNECTIONS, seconds=seconds, **options))
                         for name, options in CLIENTS.items()}
                end = time.monotonic() + seconds
                while reload and (next_time := time.monotonic() + EVERY) < end - 0.5:
                    time.sleep(next_time - time.monotonic())
                    begin = time.monotonic()
                    reload(server)
                    times.append(time.monotonic() - begin)
        return times, paces

    cases = {
        "serval, reloads": (lambda: Serval(bench), lambda server: server.command("reload")),
        "serval, no reload": (lambda: Serval(bench), None),
    }
    note = f"{RATE} requests per second and {CONNECTIONS} connections for each kind of client, for {seconds:g} s; the gap is the longest time without a good " \
           "answer to that kind. What the row without reloads shows is the machine's and the client's own."
    try:
        bench.tool("nginx")
        cases["nginx, reloads"] = (lambda: Nginx(bench), Nginx.reload)
    except Missing as missing:
        note += f" {missing}: its rows are left out."
    results = bench.interleaved({name: lambda case=case: hammer(*case) for name, case in cases.items()}, rounds=1)
    table = Table("Under reloads", ["server", "clients", "reloads", "requests", "failed", "how", "idle connections closed", "p99 ms", "longest gap ms"],
                  note=note)
    for name, [(times, paces)] in results.items():
        for kind, pace in paces.items():
            table.add(name, kind, len(times), len(pace.asked), pace.failed(), pace.kinds(), pace.closed_idle, percentile(pace.asked, 0.99),
                      longest_gap(pace.asked))
    times, paces = results["serval, reloads"][0]
    took = Table("A reload", ["reloads", "fastest ms", "slowest ms"], note="Until every worker is one of the new generation and the command has returned.")
    took.add(len(times), min(times) * 1e3, max(times) * 1e3)
    return Result([table, took], {"reload.failed": sum(pace.failed() for pace in paces.values()),
                                  "reload.gap": max(longest_gap(pace.asked) for pace in paces.values())})
