"""Clients that send a byte per second or do not read, beside others that are served."""

import statistics

from clients import SlowClients
from load import Pace, percentile
from result import Result
from servers import Serval
from table import Table

TITLE = "500 slow clients"

COUNT = 500
LATE = 1  # seconds that a cut may come after its deadline
DEADLINES = {"head": 7, "body": 5, "answer": 7}  # the body's is fixed: its average rate is looked at from then on
CONFIG = {"request": {"header_timeout": f"{DEADLINES['head']}s", "write_timeout": f"{DEADLINES['answer']}s", "body_min_rate": 512}}
CALM = 4  # seconds for which all of them are there


def run(bench):
    ratios, not_cut = [], []
    pace_table = Table("Others meanwhile", ["round", "p50 ms without", "p50 ms beside", "p99 ms without", "p99 ms beside", "failed"],
                       note=f"500 requests per second over 64 connections for {CALM} s, without and beside {COUNT} slow clients.")
    cut_table = Table("Cut off", ["slow", "deadline s", "clients", "cut off", "first after s", "last after s"])
    seen = {kind: [] for kind in DEADLINES}

    def measure():
        with Serval(bench, "faulty", CONFIG) as server:
            def ask():
                return Pace(bench, server, rate=500, seconds=CALM).run()

            without = ask()
            with SlowClients(server, COUNT, DEADLINES) as slow:
                server.wait_quiet()  # 170 answers of 1 MB each have been made
                beside = ask()
                slow.wait(max(DEADLINES.values()) + LATE + 1 - CALM)
                for it in slow.clients:
                    seen[it.kind].append(it.cut_after)
                not_cut.append(sum(not it.cut_after or it.cut_after > it.deadline + LATE for it in slow.clients))
            ratios.append(percentile(beside.asked, 0.99) / percentile(without.asked, 0.99))
            pace_table.add(len(pace_table.rows) + 1, *(percentile(pace.asked, share) for share in (0.5, 0.99) for pace in (without, beside)),
                           without.failed() + beside.failed())

    bench.interleaved({"serval": measure})
    for kind, after in seen.items():
        cuts = [it for it in after if it]
        cut_table.add(kind, DEADLINES[kind], len(after), len(cuts), min(cuts, default=None), max(cuts, default=None))
    return Result([pace_table, cut_table], {"slow.p99": statistics.median(ratios), "slow.not_cut": sum(not_cut)})
