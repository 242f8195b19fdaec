"""The servers that are measured. Each is a context: started alone, on a port of its own, and gone at the end with all its processes."""

import os
import signal
import socket
import subprocess
import time

import process_tree
import processes
from bench import CPUS
from http_client import Client, wait_until
from scoreboard import Scoreboard
from serval_process import Serval as Process
from serval_process import merged, toml


def free_port():
    """For those who cannot say which one the kernel gave them."""
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


class Server:
    """Subclasses start it: `self.process`, and `self.port` by the time it answers."""

    def __enter__(self):
        try:
            self.start()
            self.wait_answers()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        process = getattr(self, "process", None)
        if process is None:
            return
        below = process_tree.descendants(process.pid)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(self.patience)
            except subprocess.TimeoutExpired:
                below = process_tree.descendants(process.pid)
                process.kill()
                process.wait()
        for pid in below:
            if process_tree.parent(pid) in (1, os.getpid()):  # left behind by who has just ended
                process_tree.kill(pid)
        process_tree.reap_adopted(keep=[process.pid])

    patience = 5  # seconds that a stop may take

    def wait_answers(self):
        def answers():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.process.args} ended ({self.process.returncode}) before it answered")
            return first_answer(self.port)

        wait_until(answers, f"an answer of {self.process.args}")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pids(self):
        return [self.process.pid, *process_tree.descendants(self.process.pid)]

    def cpu_seconds(self):
        return processes.cpu_seconds(self.pids)

    def pss_mib(self):
        return processes.memory_kib(self.pids, "Pss") / 1024

    def client(self, **options):
        return Client(("127.0.0.1", self.port), **options)


def first_answer(port):
    """True if a request is answered now."""
    try:
        with Client(("127.0.0.1", port)) as client:
            return client.request("GET", "/", [("Connection", "close")]).status < 500
    except OSError:
        return False


class Ceiling(Server):
    """Bare epoll, see ceiling.c."""

    def __init__(self, bench, count=5):
        self.command = [bench.compiled("ceiling"), str(count)]

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.port = int(self.process.stdout.readline())
        self.process.stdout.close()


NGINX = """
worker_processes {cpus};
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
worker_rlimit_nofile 20000;
events {{ worker_connections 10100; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  default_type text/plain;
  client_body_temp_path {folder};
  proxy_temp_path {folder};
  fastcgi_temp_path {folder};
  uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port} backlog=2048; location / {{ return 200 "Hello, World!\\n"; }} }}
}}
"""


class Nginx(Server):
    """Answers from its own configuration, without an application; as many workers as CPUs."""

    def __init__(self, bench):
        self.folder = bench.path("nginx")
        self.program = bench.tool("nginx")

    def start(self):
        os.mkdir(self.folder)
        self.port = free_port()
        file = os.path.join(self.folder, "nginx.conf")
        with open(file, "w", encoding="ascii") as conf:
            conf.write(NGINX.format(cpus=CPUS, folder=self.folder, port=self.port))
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen([self.program, "-p", self.folder, "-e", os.path.join(self.folder, "error.log"), "-c", file],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)


class Serval(Server):
    """With its defaults, but for the access log, which is off, how long a stop may take, and what `config` says (a dict of tables)."""

    patience = 10

    def __init__(self, bench, app="hello", config=None, args=(), prefix=(), env=None):
        self.bench = bench
        self.folder = bench.path("serval")
        self.prefix, self.env = list(prefix), env
        tables = {"app": {"library": bench.library(app), "args": list(args)}, "log": {"access": "off"}}
        tables["server"] = {"bind": ["127.0.0.1:0"]}
        tables["shutdown"] = {"grace": "2s"}
        tables["control"] = {"socket": os.path.join(self.folder, "control.sock")}
        self.config = merged(tables, config)
        self.file = os.path.join(self.folder, "serval.toml")

    def launch(self):
        os.mkdir(self.folder)
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(toml(self.config))
        self.serval = Process(self.folder, [*self.prefix, self.bench.program, "run", "-c", self.file], self.env)
        self.process = self.serval.process

    def start(self):
        self.launch()
        try:
            self.serval.expect_log(r"serving workers=\d+", deadline=600 if self.prefix else 60)
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *self.serval.log().splitlines()[-5:]])) from None
        self.port = self.serval.addresses[0][1]

    def command(self, *words):
        """Seconds that it took."""
        begin = time.monotonic()
        subprocess.run([self.bench.program, *words, "-c", self.file], check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - begin

    def wait_calm(self):
        """Until no handler runs and no request waits for one."""
        with Scoreboard(self.process.pid) as board:
            wait_until(lambda: not any(it.running or it.waiting for it in board.workers()), "the end of the handlers")

    def wait_quiet(self):
        """Until all that was asked for has been made, and its processes hardly run any more."""
        def quiet():
            before = self.cpu_seconds()
            time.sleep(0.3)
            return self.cpu_seconds() - before < 0.03

        self.wait_calm()
        wait_until(quiet, "a quiet server")

    def worker_pids(self):
        return list(self.serval.workers().values())
