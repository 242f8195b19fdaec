"""The serval that chaos is made around: where its logs go, what can be asked of it, and what must not grow."""

import fcntl
import json
import os
import re
import select
import shutil
import socket
import subprocess
import threading
import time

import process_tree
import processes
from http_client import wait_until
from serval_process import SERVAL, Serval, library, toml

WORKERS = 4
HEARTBEAT = 2  # seconds
PIPE_BYTES = 16384


def tasks_group():
    """A cgroup of our own, of either version, that limits how many tasks there are in it (cgroups(7)); None if there
    can be none."""
    for root in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup"):
        path = os.path.join(root, f"serval-chaos-{os.getpid()}")
        try:
            os.mkdir(path)
        except OSError:
            continue
        if os.path.exists(os.path.join(path, "pids.max")):
            return path
        os.rmdir(path)
    return None


class LogFile:
    """A log in a file, read on across its replacement."""

    def __init__(self, path):
        self.path = path
        self.file = None
        self.read = ""

    def _more(self):
        self.read += self.file.read()

    def text(self):
        """All that has been written so far."""
        if self.file is not None:
            self._more()
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return self.read
        if self.file is None or os.fstat(self.file.fileno()).st_ino != there.st_ino:
            if self.file is not None:
                self.file.close()
            self.file = open(self.path, encoding="utf-8", errors="replace")
            self._more()
        return self.read

    def set_aside(self):
        """As logrotate does; what it held so far stays in mind, nothing on the disk."""
        self.text()
        if os.path.exists(self.path):
            os.replace(self.path, self.path + ".1")

    def close(self):
        if self.file is not None:
            self.file.close()


class LogPipe(threading.Thread):
    """A log in a named pipe, with a reader that is quick, slow, stopped or gone."""

    def __init__(self, path):
        super().__init__(daemon=True)
        os.mkfifo(path, 0o666)
        self.path = path
        self.mode = "quick"
        self.read = b""
        self.over = False
        self.fd = self._open()
        self.start()

    def _open(self):
        fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        return fd

    def text(self):
        return self.read.decode(errors="replace")

    def close(self):
        self.over = True
        self.join()
        if self.fd is not None:
            os.close(self.fd)

    def run(self):
        while not self.over:
            mode = self.mode
            if mode == "gone":
                if self.fd is not None:
                    os.close(self.fd)
                    self.fd = None
            elif self.fd is None:
                self.fd = self._open()
            if mode in ("gone", "stopped"):
                time.sleep(0.02)
                continue
            if mode == "slow":
                time.sleep(0.05)
            try:
                if select.select([self.fd], [], [], 0.1)[0]:
                    got = os.read(self.fd, 256 if mode == "slow" else 65536)
                    self.read += got
                    if not got:  # no writer at the moment
                        time.sleep(0.02)
            except BlockingIOError:
                pass


class Server(Serval):
    """`arrangement` is "files" (both logs in a folder of `space`, a file system of its own) or "pipes" (named ones)."""

    def __init__(self, folder, arrangement):
        self.arrangement = arrangement
        self.space = os.path.join(folder, "space")
        for name in ("logs", "control", "tmp"):
            os.makedirs(os.path.join(self.space, name))
            os.chmod(os.path.join(self.space, name), 0o1777)
        shutil.copy(library("faulty"), os.path.join(folder, "app.so"))
        os.chmod(os.path.join(folder, "app.so"), 0o755)
        self.socket = os.path.join(self.space, "control", "control.sock")
        kind, inside = (LogFile, os.path.join(self.space, "logs")) if arrangement == "files" else (LogPipe, folder)
        self.told, self.access_told = kind(os.path.join(inside, "serval.log")), kind(os.path.join(inside, "access.log"))
        self.config = os.path.join(folder, "serval.toml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(toml(self._options(folder)))
        command = [SERVAL, "run", "-c", self.config]
        if arrangement == "pipes":
            command = ["sh", "-c", 'exec "$@" >access.log 2>serval.log', "sh", *command]
        self.tasks = tasks_group()
        popen = {"preexec_fn": self._join} if self.tasks else None
        super().__init__(folder, command, {"TMPDIR": os.path.join(self.space, "tmp"), "SERVAL_ADMIN_BIND": None}, popen)

    def _join(self):
        with open(os.path.join(self.tasks, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write("0")

    def limit_tasks(self, limit):
        with open(os.path.join(self.tasks, "pids.max"), "w", encoding="ascii") as file:
            file.write(limit)

    def _options(self, folder):
        files = {"file": self.told.path, "access": self.access_told.path} if self.arrangement == "files" else {}
        return {
            "app": {"library": os.path.join(folder, "app.so")},
            "server": {"bind": ["127.0.0.1:0"], "user": "nobody", "pidfile": os.path.join(folder, "pid")},
            "workers": {"count": WORKERS, "threads": 2, "heartbeat_timeout": f"{HEARTBEAT}s", "boot_timeout": "4s"},
            "memory": {"hard": "256MiB", "interval": "200ms"},
            "request": {"timeout": "2s", "spill_body": "64KiB"},
            "restart": {"backoff_max": "1s"},
            "shutdown": {"grace": "5s"},
            "log": files,
            "admin": {"bind": "127.0.0.1:0"},
            "control": {"socket": self.socket},
        }

    def log(self):
        return self.told.text()

    def access(self):
        return self.access_told.text()

    def close(self):
        self.told.close()
        self.access_told.close()
        if self.tasks:
            os.rmdir(self.tasks)

    # What can be asked of it

    def ask(self, command, **arguments):
        """The last line of the answer; an empty one if nobody answers."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(60)
            got = b""
            try:
                asking.connect(self.socket)
                asking.sendall(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")
                while data := asking.recv(65536):
                    got += data
            except OSError:
                return {}
        lines = got.decode().splitlines()
        return json.loads(lines[-1]) if lines else {}

    def command(self, *words):
        """`serval WORDS`, begun."""
        return subprocess.Popen([SERVAL, *words, "--socket", self.socket], cwd=self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def serves_fully(self):
        """Empty if all workers serve, the mold is there, and nothing is under way; else what is not so."""
        result = self.ask("status").get("result")
        if result is None:
            return "no answer to status"
        states = [worker["state"] for worker in result["workers"]]
        if states != ["serving"] * result["workers_wanted"]:
            return f"{result['workers_wanted']} workers wanted: {states}"
        if result["state"] != "serving" or not result["ready"] or result["mold"]["state"] != "ready":
            return f"state {result['state']}, unready {result['unready']}, mold {result['mold']['state']}"
        if not self.admin():
            return "no admin process"
        for pid in process_tree.descendants(self.pid):
            title, state = process_tree.title(pid), process_tree.state(pid)
            if state in ("T", "Z") or not re.match("serval: (admin|mold|worker)", title):
                return f"process {pid} in state {state}: {title!r}"
        return ""

    def admin(self):
        return next((pid for pid in process_tree.descendants(self.pid) if process_tree.title(pid).startswith("serval: admin")), None)

    def worker_at(self, dice):
        """Any of the workers that live, or None."""
        workers = self.workers()
        return workers[dice.choice(sorted(workers))] if workers else None

    def standing(self):
        """What must not grow: of the master, and of all its processes."""
        pids = [self.pid, *process_tree.descendants(self.pid)]
        return {**processes.standing(self.pid), "processes": len(pids),
                "all_fds": sum(map(process_tree.fd_count, pids)),
                "all_threads": sum(map(process_tree.thread_count, pids))}

    def wait_for_line(self, pattern, since, deadline=10):
        """A match in what the log says after `since` characters."""
        return wait_until(lambda: re.search(pattern, self.log()[since:]),
                          lambda: f"a log line like {pattern!r} in {self.log()[since:]!r}", deadline)
