"""How many instructions a worker executes for a request, and the supervisor for a worker that dies and comes back: figures that hardly depend on the
machine's mood.

A server with one worker is run under callgrind twice, with few and with many requests; the difference is what the requests have cost. The fewest of
several such differences counts: whatever else a worker does only adds to it. The supervisor is run without anything around it, by supervisor_steps.cpp.
"""

import glob
import os
import re
import subprocess

from bench import HERE
from result import Result
from servers import Serval
from table import Table

TITLE = "instructions of one keep-alive request, and of the supervisor for one death"

FEW, MANY = 200, 2200
EACH = 5  # runs; on a busy machine, some of them tick more often while they wait for a CPU
FLEETS = (5, 200, 1000)  # workers
MORE = 1.05  # times the recorded figure
RECORDED = os.path.join(HERE, "figures", "instructions.txt")

# Nothing may happen by the clock, which runs fast for a program that runs slowly.
CONFIG = {"workers": {"count": 1, "threads": 1, "heartbeat_timeout": "0", "boot_timeout": "10m"}, "request": {"timeout": "0"}}
CASES = {
    "hello": ("hello", {}),
    "hello with an access log": ("hello", {"log": {"access": "/dev/null"}}),
}


def run(bench):
    valgrind = bench.tool("valgrind")
    now = {}
    for name, (app, config) in CASES.items():
        few, many = ([worker_instructions(bench, valgrind, app, config, requests) for _ in range(EACH)] for requests in (FEW, MANY))
        bench.say(f"  {name}: {few} for {FEW}, {many} for {MANY} requests")
        now[name] = (min(many) - min(few)) / (MANY - FEW)
    for workers in FLEETS:
        few, many = (steps_instructions(bench, valgrind, workers, deaths) for deaths in (FEW, MANY))
        now[f"supervisor, one of {workers:,} workers dies"] = (many - few) / (MANY - FEW)
    before = recorded()
    table = Table("Instructions", ["what", "instructions", "recorded", "x recorded"],
                  note="Of all threads of a worker, or of the supervisor; those of the kernel are not among them. They differ between compilers and "
                       "libraries.")
    for name, count in now.items():
        table.add(name, int(count), int(before[name]) if name in before else None, count / before[name] if name in before else None)
    if bench.record:
        write(bench.version, now)
    grown = [f"{name} takes {count:,.0f} instructions instead of {before[name]:,}" for name, count in now.items()
             if name in before and count > before[name] * MORE and not bench.record]
    return Result([table], failed="; ".join(grown))


def worker_instructions(bench, valgrind, app, config, requests):
    """Of a worker's whole life, in which it answers so many."""
    folder = bench.path("callgrind")
    os.mkdir(folder)
    command = [valgrind, "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={folder}/%p", f"--log-file={folder}/log.%p"]
    preload = {"LD_PRELOAD": bench.compiled("real_exec", ["-shared", "-fPIC"])}
    with Serval(bench, app, {**CONFIG, **config}, prefix=command, env=preload) as server:
        pid = int(server.serval.expect_log(r"worker ready slot=0 worker_pid=(\d+)")[1])
        with server.client(deadline=120) as client:
            for _ in range(requests):
                client.get()
    files = [path for path in glob.glob(f"{folder}/{pid}*")]
    totals = [int(count) for path in files for count in re.findall(r"^(?:totals|summary): (\d+)", text(path), re.MULTILINE)]
    if not totals:
        raise AssertionError(f"callgrind has written nothing of the worker {pid}; there are {sorted(os.listdir(folder))}")
    return max(totals)


def steps_instructions(bench, valgrind, workers, deaths):
    command = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", bench.part("supervisor_steps"), str(workers), str(deaths)]
    log = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return int(re.search(r"Collected : (\d+)", log)[1])


def recorded():
    """{case: instructions} of the last version of which they are recorded."""
    if not os.path.exists(RECORDED):
        return {}
    lines = [line.split(maxsplit=2) for line in text(RECORDED).splitlines() if line and not line.startswith("#")]
    return {name: int(count) for version, count, name in lines if version == lines[-1][0]}


HEAD = ("# Instructions per request, or per death of a worker: version, count, what. Written by tests/bench/run --only instructions --record; the last "
        "version is compared with.\n")


def write(version, now):
    """What is recorded of other versions stays."""
    os.makedirs(os.path.dirname(RECORDED), exist_ok=True)
    lines = text(RECORDED).splitlines() if os.path.exists(RECORDED) else []
    kept = [line for line in lines if line and not line.startswith("#") and line.split()[0] != version]
    with open(RECORDED, "w", encoding="ascii") as file:
        file.write(HEAD + "".join(line + "\n" for line in [*kept, *(f"{version} {count:.0f} {name}" for name, count in now.items())]))


def text(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
