"""Requests and answers with bodies, and one that looks something up."""

import os
import subprocess
import sys

from bench import HERE
from load import loaded, median, ratio
from plot import Plot
from result import Result
from servers import Serval
from table import Table

TITLE = "bodies both ways, and a lookup answered as JSON"

KIB, MIB = 1024, 1024 * 1024
FEW = 8  # connections for large bodies: what is in progress when the time is over has cost something, too, and is not counted


def catalog(bench):
    table, database = bench.path("items.tsv"), bench.path("items.db")
    make = os.path.join(HERE, "..", "..", "examples", "catalog", "make_table.py")
    subprocess.run([sys.executable, make, table, "--mib", "16"], check=True)
    return Serval(bench, "catalog", args=[f"table={table}", f"database={database}"])


def run(bench):
    cases = {
        "hello, for comparison": (lambda: Serval(bench), "/", {}),
        "an answer of 1 KiB": (lambda: Serval(bench, "faulty"), f"/body?bytes={KIB}", {}),
        "an answer of 64 KiB": (lambda: Serval(bench, "faulty"), f"/body?bytes={64 * KIB}", {}),
        "POST of 1 KiB, echoed as JSON": (lambda: Serval(bench, "echo"), "/", {"method": "POST", "body": KIB}),
        "POST of 1 MiB, echoed as JSON": (lambda: Serval(bench, "echo"), "/", {"method": "POST", "body": MIB, "connections": FEW}),
        "a lookup in a table of 16 MiB": (lambda: catalog(bench), "/items/item-00001234", {}),
    }

    def measure(make, path, what):
        with make() as server:
            return loaded(bench, server, path, **what)

    rounds = bench.interleaved({name: lambda case=case: measure(*case) for name, case in cases.items()})
    hello = rounds["hello, for comparison"]
    table = Table("Bodies", ["request", "req/s", "CPU us/req", "x hello", "p50 ms", "p99 ms", "errors"],
                  note=f"64 connections, {FEW} for bodies of 1 MiB. The CPU time of the examples' own code is included: echo escapes what it "
                       "echoes, byte by byte.")
    plot = Plot("bodies: CPU time per request", "relative to hello; less is better")
    for name, loads in rounds.items():
        row, cost = median(loads), ratio(loads, hello, "cpu_us")
        table.add(name, row["rps"], row["cpu_us"], cost, row["p50_ms"], row["p99_ms"], row["errors"])
        if "1 MiB" not in name:  # beside it the others could not be seen
            plot.add(name, cost)
    return Result([table], plots=[plot])
