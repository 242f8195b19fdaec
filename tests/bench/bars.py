"""What serval wants to reach. Scenarios report figures by these names; here stands, once, what each has to be."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    name: str
    words: str
    limit: float
    unit: str
    least: bool = False  # the figure has to reach the limit, instead of staying below it

    def met(self, value):
        return math.isfinite(value) and (value >= self.limit if self.least else value <= self.limit)

    def wanted(self):
        return f"{'at least' if self.least else 'at most'} {self.limit:g} {self.unit}"


BARS = (
    Bar("hello.cpu_to_ceiling", "hello: CPU time per request, relative to bare epoll", 1.25, "x"),
    Bar("hello.cpu_to_nginx", "hello: CPU time per request, relative to nginx", 1, "x"),
    Bar("hello.rps_to_nginx", "hello: requests per second, relative to nginx", 1, "x", least=True),
    Bar("hello.p99_to_nginx", "hello: 99th percentile, relative to nginx", 1, "x"),
    Bar("hello.access_log", "hello: CPU time per request with an access log, relative to without", 1.15, "x"),
    Bar("mixed.fast_p99", "99th percentile of fast requests while 2 % of all sleep 100 ms, at half of saturation", 5, "ms"),
    Bar("pinned.failed", "requests that fail while the only thread of one of two workers is pinned for 10 s", 0, "requests"),
    Bar("pinned.p99", "99th percentile meanwhile, once connections have settled", 25, "ms"),
    Bar("sleepers.share", "handlers that sleep 10 ms, 5 x 5: share of the 2,500 requests per second that are possible", 0.95, "", least=True),
    Bar("reload.failed", "requests that fail under a reload every 1.5 s: GET and POST, kept alive and fresh", 0, "requests"),
    Bar("reload.gap", "longest time without an answer meanwhile", 25, "ms"),
    Bar("killed.failed", "requests that fail when a worker is killed, beyond the connections that it had", 0, "requests"),
    Bar("killed.back", "kill -9 of a worker until its slot serves again", 50, "ms"),
    Bar("boot.to_nginx", "exec to first answer, relative to nginx", 1, "x"),
    Bar("master.pss", "memory (PSS) of the master of 5 workers", 3, "MiB"),
    Bar("master.wakeups", "wake-ups of all idle processes beyond configured intervals", 0, "per second"),
    Bar("preloaded.private", "a worker more after preloading 1 GiB: its private memory", 2, "MiB"),
    Bar("preloaded.ready", "a worker more after preloading 1 GiB: time until it serves", 60, "ms"),
    Bar("idle.memory", "memory of an idle keep-alive connection, of 10,000", 4, "KiB"),
    Bar("idle.cpu", "CPU time per request of others meanwhile, relative to without", 1.05, "x"),
    Bar("idle.rps", "requests per second of others meanwhile, relative to without", 0.95, "x", least=True),
    Bar("slow.p99", "500 slow clients: 99th percentile of others, relative to without", 2, "x"),
    Bar("watched.cpu", "hello with health, metrics, traces (1 %), StatsD and slow lines: CPU time per request, relative to without", 1.03, "x"),
    Bar("watched.profile", "hello while it is profiled: CPU time per request, relative to without", 1.05, "x"),
    Bar("watched.scrape", "GET /metrics of 100 workers", 10, "ms"),
    Bar("slow.not_cut", "slow clients that are not cut off within a second of their deadline", 0, "clients"),
)


def judged(figures):
    """(bar, figure or None, "met", "missed" or "not measured") of all bars."""
    unknown = [name for name in figures if name not in {bar.name for bar in BARS}]
    if unknown:
        raise KeyError(f"no bar is called {unknown}")
    for bar in BARS:
        value = figures.get(bar.name)
        yield bar, value, "not measured" if value is None else "met" if bar.met(value) else "missed"
