#!/usr/bin/env python3
"""Load, and a random fault each second; then: were all failures those of killed processes, and has anything grown?

usage: soak.py SERVAL LIBFAULTY [--seconds N] [--clients N] [--seed N]

SERVAL is the binary, LIBFAULTY the library of examples/faulty. Faults: a worker killed with -9, stopped, or told to leave; a request that
crashes, exits, deadlocks, sleeps past its deadline, leaks, or takes 300 MiB. A load request fails when it gets no complete 200. Each worker
that died says in the log how many connections it took along: no client can have lost more. Exits 1 if that does not hold, or if the master has
more descriptors, threads, children or memory at the end than after a minute.
"""
import argparse
import collections
import http.client
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from processes import standing

CONFIG = """
[app]
library = "{library}"
[server]
bind = ["127.0.0.1:0"]
[workers]
count = 5
threads = 5
heartbeat_timeout = "2s"
max_requests = 20000
max_requests_jitter = 5000
max_lifetime = "60s"
max_lifetime_jitter = "60s"
[memory]
soft = "96MiB"
hard = "256MiB"
interval = "200ms"
[request]
timeout = "2s"
[restart]
backoff_max = "1s"
[shutdown]
grace = "5s"
[log]
access = "off"
"""


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def title(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode(errors="replace")
    except OSError:
        return ""


class Load(threading.Thread):
    """A client with one keep-alive connection."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.ok, self.failures, self.stopping = port, 0, collections.Counter(), False

    def run(self):
        connection = None
        while not self.stopping:
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                connection.request("GET", "/")
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.ok += 1
                else:
                    self.failures[f"status {answer.status}"] += 1
                if answer.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                self.failures[type(error).__name__] += 1
                connection = None


def ask(port, target):
    """A request that may end in any way; in the background."""

    def go():
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", target)
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            pass

    threading.Thread(target=go, daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("serval")
    parser.add_argument("library")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    dice = random.Random(args.seed)

    folder = tempfile.mkdtemp(prefix="serval-soak-")
    config, log_path = os.path.join(folder, "serval.toml"), os.path.join(folder, "log")
    with open(config, "w", encoding="utf-8") as file:
        file.write(CONFIG.format(library=os.path.abspath(args.library)))
    with open(log_path, "wb") as log:
        server = subprocess.Popen([args.serval, "run", "-c", config], stderr=log, cwd=folder)

    def text():
        with open(log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    while "serving workers=" not in text():
        time.sleep(0.05)
    port = int(re.search(r"listening address=127\.0\.0\.1:(\d+)", text())[1])

    def worker():
        pids = [pid for pid in children(server.pid) if title(pid).startswith("serval: worker")]
        return dice.choice(pids) if pids else None

    def signalled(number):
        def act():
            pid = worker()
            if pid:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
        return act

    faults = {"kill -9": signalled(signal.SIGKILL), "stop": signalled(signal.SIGSTOP), "term": signalled(signal.SIGTERM)}
    for target in ("/crash", "/abort", "/exit?code=3", "/deadlock", "/sleep?ms=5000", "/leak?kib=40000", "/alloc?mib=300&ms=1500"):
        faults[target] = lambda target=target: ask(port, target)

    clients = [Load(port) for _ in range(args.clients)]
    for client in clients:
        client.start()
    begin, done, early = time.monotonic(), collections.Counter(), None
    while time.monotonic() - begin < args.seconds:
        name = dice.choice(sorted(faults))
        done[name] += 1
        faults[name]()
        time.sleep(1)
        if early is None and time.monotonic() - begin > min(60, args.seconds / 4):
            early = standing(server.pid)
    time.sleep(12)  # the last ones recover
    for client in clients:
        client.stopping = True
    late = standing(server.pid)
    server.terminate()
    code = server.wait(30)

    failures = sum((client.failures for client in clients), collections.Counter())
    # The connections of the clients that asked for faults are among those that were lost.
    lost = sum(int(number) for number in re.findall(r"connections_lost=(\d+)", text()))
    ends = collections.Counter(re.findall(r"worker (?:died|stopped|died while it drained) .*?cause=(\w+)", text()))
    folded = re.findall(r"worker .*folded=\d+", text())
    print(f"requests ok {sum(client.ok for client in clients)}, failed {sum(failures.values())} {dict(failures)}; connections lost with workers {lost}")
    print(f"faults {dict(done)}")
    print(f"ends by cause {dict(ends)}; folded lines {len(folded)}")
    print(f"after a while {early}\nat the end   {late}\nexit code {code}; log {log_path}")
    grown = [key for key in ("fds", "threads", "zombies", "children") if late[key] > early[key]]
    if late["pss_kib"] > early["pss_kib"] * 1.2 + 1024:
        grown.append("pss_kib")
    wrong = [f"grown: {grown}"] if grown else []
    if sum(failures.values()) > lost:
        wrong.append("more requests failed than connections were lost with workers")
    if any(kind.startswith("status") for kind in failures):
        wrong.append("an answer was not 200")
    if code != 0:
        wrong.append("the server did not end well")
    print(*wrong or ["all as it should be"], sep="\n")
    return 1 if wrong else 0


sys.exit(main())
