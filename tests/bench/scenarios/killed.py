"""A worker dies under load, killed with -9: what its clients notice, and how long its place is empty."""

import os
import re
import signal
import statistics
import time

from http_client import wait_until
from load import Pace
from result import Result
from scoreboard import Scoreboard
from servers import Serval
from table import Table

TITLE = "a worker is killed with -9 under load"

BETWEEN = 0.3  # seconds between two deaths


def run(bench):
    back, lost, failed, asked, kinds = [], [], [], [], []

    def measure():
        # Each slot is hit once: the first death of a healthy worker is made good at once, more of them in a row are delayed.
        with Serval(bench, config={"workers": {"count": 5}}) as server, Scoreboard(server.process.pid) as board:
            with Pace(bench, server, rate=2000, connections=64, seconds=5 * BETWEEN + 1) as pace:
                for slot, pid in sorted(server.serval.workers().items()):
                    time.sleep(BETWEEN)
                    begin = time.monotonic()
                    os.kill(pid, signal.SIGKILL)
                    back.append((serves_again(board, slot, pid) - begin) * 1e3)
            wait_until(lambda: len(re.findall("worker died", server.serval.log())) >= 5, "the log to tell of five deaths")
            lost.append(sum(int(number) for number in re.findall(r"worker died .*connections_lost=(\d+)", server.serval.log())))
            failed.append(pace.failed())
            asked.append(len(pace.asked))
            kinds.append(pace.kinds())

    bench.interleaved({"serval": measure})
    table = Table("Killed", ["round", "requests", "failed", "how", "connections lost"],
                  note=f"2,000 requests per second over 64 keep-alive connections; five deaths each. A slot served again after "
                       f"{statistics.median(back):.1f} ms (median of {len(back)}; {min(back):.1f} to {max(back):.1f} ms).")
    for number, row in enumerate(zip(asked, failed, kinds, lost), 1):
        table.add(number, *row)
    beyond = sum(max(0, f - l) for f, l in zip(failed, lost))
    return Result([table], {"killed.failed": beyond, "killed.back": statistics.median(back)})


def serves_again(board, slot, dead):
    """When another process than `dead` serves there."""
    end = time.monotonic() + 30
    while not any(it.index == slot and it.pid != dead for it in board.serving()):
        if time.monotonic() > end:
            raise AssertionError(f"slot {slot} did not serve again within 30 s")
        time.sleep(0.0005)
    return time.monotonic()
