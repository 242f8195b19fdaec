"""Servers of ordinary programs, and a program for them that does what its arguments say."""

import json
import os
import sys
import textwrap

import process_tree
from http_client import wait_until
from orders import Orders
from serval_process import library, toml

# Each word of its command line is a thing to do, in this order; then it is ready and waits for a signal.
PUPPET = r'''
import os, signal, socket, subprocess, sys, time

def say(text):
    print(text, flush=True)

def on_term(number, frame):
    say(f"got {signal.Signals(number).name}")
    sys.exit(0)

signal.signal(signal.SIGTERM, on_term)
for word in sys.argv[1:]:
    what, _, value = word.partition("=")
    if what == "say": say(value)
    elif what == "warn": print(value, file=sys.stderr, flush=True)
    elif what == "sleep": time.sleep(float(value))
    elif what == "exit": sys.exit(int(value))
    elif what == "exit-unless":                       # the file is there
        if not os.path.exists(value): sys.exit(3)
    elif what == "wait-for":
        while not os.path.exists(value): time.sleep(0.02)
    elif what == "touch": open(value, "w").close()
    elif what == "env": say(f"{value}={os.environ.get(value)}")
    elif what == "notify":
        address = os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s: s.sendto(value.replace("\\n", "\n").encode(), address)
    elif what == "ignore": signal.signal(getattr(signal, "SIG" + value), signal.SIG_IGN)
    elif what == "default": signal.signal(getattr(signal, "SIG" + value), signal.SIG_DFL)
    elif what == "tree":                              # so many generations, all deaf for TERM
        if int(value) > 0:
            subprocess.Popen([sys.executable, __file__, "ignore=TERM", "ignore=INT", f"tree={int(value) - 1}"])
    elif what == "daemon":                            # a grandchild in a session of its own
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                say(f"daemon {os.getpid()}")
                time.sleep(1000)
            os._exit(0)
        os.wait()
    elif what == "eat": hoard = bytearray(int(value) << 20)
    elif what == "binary": os.write(1, bytes(range(256)) + b"\n")
    elif what == "long": os.write(1, b"x" * int(value) + b"\n")
    elif what == "flood":
        while True: os.write(1, b"y" * 4000 + b"\n")
    elif what == "serve":                             # HTTP, one request at a time, on the first socket that was handed over
        listener = socket.socket(fileno=3)
        listener.setblocking(True)
        stopping = False
        def stop(number, frame):
            global stopping
            stopping = True
        signal.signal(signal.SIGTERM, stop)
        listener.settimeout(0.05)
        say("serving")
        if "SERVAL_READY_FD" in os.environ: os.write(int(os.environ["SERVAL_READY_FD"]), b"\n")
        while not stopping:
            try: connection, _ = listener.accept()
            except (TimeoutError, BlockingIOError): continue
            connection.settimeout(5)
            connection.recv(4096)
            body = f"{value} {os.environ['SERVAL_INSTANCE']} {os.getpid()}".encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            connection.close()
        sys.exit(0)
if "SERVAL_READY_FD" in os.environ:
    try: os.write(int(os.environ["SERVAL_READY_FD"]), b"\n")
    except OSError: pass                              # of a child, which has the variable alone
while True: signal.pause()
'''


class ProgramsTest(Orders):
    def puppet(self, *words):
        """The command of a program that does this."""
        if not os.path.exists(self.path("puppet.py")):
            self.write("puppet.py", textwrap.dedent(PUPPET))
        return [sys.executable, self.path("puppet.py"), *words]

    def tables(self, programs, config=None, app=None):
        """The whole configuration as text. What a program does not say is made quick for tests."""
        tables = {"control": {"socket": self.path("control0.sock")}, **(config or {})}
        if app is not None:
            tables.setdefault("app", {})["library"] = library(app)
            tables.setdefault("server", {}).setdefault("bind", ["127.0.0.1:0"])
            tables.setdefault("workers", {}).setdefault("count", 1)
        for name, program in programs.items():
            is_puppet = self.path("puppet.py") in program.get("command", [])
            ready = {} if "every" in program or "cron" in program else {"ready": "fd" if is_puppet else "alive:10ms"}
            tables[f"programs.{name}"] = {**ready, **program}
        return toml(tables)

    def launch_programs(self, programs, config=None, app=None, **options):
        return self.launch_config(config=self.tables(programs, config, app), **options)

    def start_programs(self, programs, config=None, app=None, **options):
        """... and waits until all their instances are ready, or done."""
        serval = self.launch_programs(programs, config, app, **options)
        self.wait_up(*programs)
        return serval

    def rewrite(self, programs, config=None, app=None):
        self.write("serval0.toml", self.tables(programs, config, app))

    def program(self, name):
        return next(program for program in self.status()["programs"] if program["name"] == name)

    def pids(self, name):
        """{instance: pid} of those that are ready."""
        return {one["instance"]: one["pid"] for one in self.program(name)["instances"] if one["state"] == "ready"}

    def wait_up(self, *names):
        def all_up():
            code, out, _ = self.run_command("status", "--json", "--socket", self.path("control0.sock"))
            if code != 0:  # it does not listen there yet
                return False
            up = {program["name"]: program["up"] for program in json.loads(out)["programs"]}
            return all(up.get(name) for name in names)

        wait_until(all_up, f"the programs {names} to be up")

    def assert_has_traits(self, pid, cwd):
        """Those of a table with this folder, umask = "0027", nice = 3 and limits = { nofile = "77" }."""
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), cwd)
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            self.assertIn("Umask:\t0027", file.read())
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            self.assertRegex(file.read(), r"Max open files +77 +77 ")
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, pid), os.getpriority(os.PRIO_PROCESS, 0) + 3)
        self.assertEqual(os.getsid(pid), pid, "a signal for the server's group or terminal reaches it")

    def gone(self, *pids):
        wait_until(lambda: not any(process_tree.alive(pid) for pid in pids), f"the end of {pids}")
