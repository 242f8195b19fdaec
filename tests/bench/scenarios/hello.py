"""The smallest request, as often as 64 clients can ask."""

from bench import Missing
from load import loaded, median, ratio
from plot import Plot
from result import Result
from servers import Ceiling, Nginx, Serval
from table import Table

TITLE = "the smallest request, over 64 keep-alive connections"


def run(bench):
    def serval(access):
        return lambda: Serval(bench, config={"log": {"access": access}})

    log = bench.path("access.log")
    servers = {"bare epoll, 5 processes": lambda: Ceiling(bench), "serval": serval("off"), "serval, access log to a file": serval(log)}
    note = ""
    try:
        bench.tool("nginx")
        servers["nginx"] = lambda: Nginx(bench)
    except Missing as missing:
        note = f"{missing}: its row and the bars against it are left out."

    def measure(make):
        with make() as server:
            return loaded(bench, server)

    rounds = bench.interleaved({name: lambda make=make: measure(make) for name, make in servers.items()})
    ceiling, ours = rounds["bare epoll, 5 processes"], rounds["serval"]
    table = Table("Hello, World!", ["server", "req/s", "CPU us/req", "x bare epoll", "p50 ms", "p99 ms", "PSS MiB", "errors"], note=note)
    plot = Plot("hello: CPU time per request", "relative to bare epoll that parses nothing; less is better")
    for name, loads in rounds.items():
        row, cost = median(loads), ratio(loads, ceiling, "cpu_us")
        table.add(name, row["rps"], row["cpu_us"], cost, row["p50_ms"], row["p99_ms"], row["pss_mib"], row["errors"])
        plot.add(name, cost, "serval" if name.startswith("serval") else "others")
    figures = {"hello.cpu_to_ceiling": ratio(ours, ceiling, "cpu_us"), "hello.access_log": ratio(rounds["serval, access log to a file"], ours, "cpu_us")}
    if "nginx" in rounds:
        for bar, key in (("cpu", "cpu_us"), ("rps", "rps"), ("p99", "p99_ms")):
            figures[f"hello.{bar}_to_nginx"] = ratio(ours, rounds["nginx"], key)
    return Result([table], figures, [plot])
