"""Who asks: wrk as fast as it can (a closed loop: a slow answer delays the next request of its connection, so its percentiles flatter whoever
stalls), and pace at a fixed rate (an open loop: a request that is due waits visibly). CPU time per request is measured under the former,
latency under the latter wherever latency is the question."""

import json
import os
import re
import statistics
import struct
import subprocess
import time
from dataclasses import asdict, dataclass

from bench import CPUS, HERE

RECORD = struct.Struct("=qqii")
OUTCOMES = ("ok", "refused", "reset", "reuse", "timeout", "status", "short")


@dataclass
class Load:
    """What a server did under wrk."""

    rps: float
    cpu_us: float  # of all processes of the server, for each request
    p50_ms: float
    p99_ms: float
    pss_mib: float
    errors: int


def wrk(bench, url, connections=64, seconds=None, **what):
    threads = max(1, min(CPUS // 2, connections))
    command = [bench.tool("wrk"), f"-t{threads}", f"-c{connections}", f"-d{seconds or bench.seconds}s", "--timeout", "10s",
               "-s", os.path.join(HERE, "wrk.lua"), url, "--", *(f"{name}={value}" for name, value in what.items())]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(re.search(r"^RESULT (.*)$", out, re.MULTILINE)[1])


def loaded(bench, server, path="/", connections=64, **what):
    """`server`, which runs, under wrk; a moment before that does not count."""
    wrk(bench, server.url + path, connections, 1, **what)
    before = server.cpu_seconds()
    result = wrk(bench, server.url + path, connections, **what)
    cpu = server.cpu_seconds() - before
    requests = max(result["requests"], 1)
    return Load(rps=result["requests"] / result["seconds"], cpu_us=cpu * 1e6 / requests, p50_ms=result["p50_ms"], p99_ms=result["p99_ms"],
                pss_mib=server.pss_mib(), errors=result["errors"] + result["bad_status"])


def median(loads):
    """Of each figure; errors are added up, since any at all is one too many."""
    rows = [asdict(load) for load in loads]
    result = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
    return {**result, "errors": sum(row["errors"] for row in rows)}


def ratio(ours, theirs, key):
    """The median of the rounds' own ratios: what slowed down a whole round does not count."""
    return statistics.median(getattr(a, key) / getattr(b, key) for a, b in zip(ours, theirs) if getattr(b, key))


@dataclass
class Asked:
    """One request; times in seconds of the monotonic clock."""

    due: float
    end: float
    slow: bool
    outcome: str

    @property
    def ok(self):
        return self.outcome == "ok"

    @property
    def ms(self):
        return (self.end - self.due) * 1e3


class Pace:
    """`with Pace(bench, server, rate=500) as pace: ...` asks meanwhile; afterwards `asked` holds all requests. See pace.c for the options."""

    def __init__(self, bench, server, **options):
        self.file = bench.path("pace")
        self.seconds = options.setdefault("seconds", bench.seconds)
        self.command = [bench.compiled("pace"), str(server.port), self.file, *(f"{name}={value}" for name, value in options.items())]

    def __enter__(self):
        self.began = time.monotonic()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.process.kill()
        out, _ = self.process.communicate()
        if kind is not None:
            return
        if self.process.returncode != 0:
            raise AssertionError(f"{self.command} ended with {self.process.returncode}")
        self.closed_idle = int(out)
        with open(self.file, "rb") as file:
            self.asked = [Asked(due / 1e9, end / 1e9, bool(slow), OUTCOMES[outcome]) for due, end, slow, outcome in RECORD.iter_unpack(file.read())]
        os.remove(self.file)

    def run(self):
        with self:
            pass
        return self

    def failed(self):
        return sum(not it.ok for it in self.asked)

    def kinds(self):
        """How they failed, in words."""
        counts = {kind: sum(it.outcome == kind for it in self.asked) for kind in OUTCOMES[1:]}
        return ", ".join(f"{kind} {count}" for kind, count in counts.items() if count) or "-"


def percentile(asked, share):
    """Milliseconds; of requests that were answered well."""
    times = sorted(it.ms for it in asked if it.ok)
    return times[min(len(times) - 1, int(len(times) * share))] if times else float("nan")


def longest_gap(asked):
    """Milliseconds without any good answer."""
    ends = sorted(it.end for it in asked if it.ok)
    return max((b - a for a, b in zip(ends, ends[1:])), default=float("nan")) * 1e3
