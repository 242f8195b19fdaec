"""Starts the real serval in a folder of its own, waits for what it says, and leaves nothing behind.

The program and the example apps are named by the environment (CTest sets it): SERVAL is the binary, SERVAL_EXAMPLES a folder below
which lib<example>.so are found, SERVAL_TEST_APPS the same for the apps of tests/behaviour/apps, SERVAL_CORPUS the requests' folder.
By hand:  SERVAL=build/dev/src/serval SERVAL_EXAMPLES=build/dev/examples ... PYTHONPATH=tests/behaviour python3 -m unittest -v boot_test
"""

import concurrent.futures
import glob
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import process_tree
from http_client import DEADLINE, Client, wait_until

SERVAL = os.environ.get("SERVAL", "serval")

# Tests may run under nohup; what they start must not.
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# What a bug says in the log, or a sanitizer that cannot write its report: no test may pass over it, whatever it looked
# at.
BUG = re.compile(
    r"serval: bug:|ERROR: (?:Address|Leak)Sanitizer|WARNING: ThreadSanitizer|: runtime error: |ERROR: Can't open file")
SANITIZERS = {
    "ASAN_OPTIONS": "handle_segv=0:handle_abort=0:detect_leaks=0:abort_on_error=1",  # the crashes that tests ask for stay plain
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "handle_segv=0:handle_abort=0:die_after_fork=0",
}


def library(name):
    """The path of an app library: an example's or a test app's."""
    for folder in (os.environ.get("SERVAL_EXAMPLES", ""), os.environ.get("SERVAL_TEST_APPS", "")):
        found = sorted(glob.glob(f"{folder}/**/lib{name}.so", recursive=True)) if folder else []
        if found:
            return os.path.abspath(found[0])
    raise AssertionError(f"there is no lib{name}.so below SERVAL_EXAMPLES or SERVAL_TEST_APPS")


def toml(tables):
    """A nested dict as TOML text; strings, numbers, booleans, lists, and dicts as tables."""

    def value(it):
        if isinstance(it, bool):
            return "true" if it else "false"
        if isinstance(it, list):
            return "[" + ", ".join(map(value, it)) + "]"
        if isinstance(it, dict):
            return "{ " + ", ".join(f"{k} = {value(v)}" for k, v in it.items()) + " }"
        return '"' + it.replace("\\", "\\\\").replace('"', '\\"') + '"' if isinstance(it, str) else str(it)

    return "\n".join(f"[{table}]\n" + "".join(f"{k} = {value(v)}\n" for k, v in keys.items()) for table, keys in tables.items())


def merged(base, changes):
    result = {table: dict(keys) for table, keys in base.items()}
    for table, keys in (changes or {}).items():
        result.setdefault(table, {}).update(keys)
    return result


class Serval:
    """One `serval run` (or another command). Made by ServalTest.start and ServalTest.launch, which also end it."""

    def __init__(self, folder, command, env=None, popen=None):
        self.folder = folder
        self.log_path = os.path.join(folder, "stderr")
        self.out_path = os.path.join(folder, "stdout")
        self.reports_path = os.path.join(folder, "sanitizer")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SERVAL") and k not in ("PORT", "WEB_CONCURRENCY")}
        for name in ("RUNTIME_DIRECTORY", "KUBERNETES_SERVICE_HOST", "NOTIFY_SOCKET", "WATCHDOG_USEC", "FDSTORE"):
            environment.pop(name, None)
        environment["XDG_RUNTIME_DIR"] = os.path.dirname(folder)  # the test's own: control sockets of servers with one name do not meet there
        # Reports go to a file for each process, whoever it runs as: its standard error may be a log that no test reads,
        # or a pipe that nobody does.
        os.mkdir(self.reports_path)
        os.chmod(self.reports_path, 0o1777)
        environment.update({k: f"{v}:log_path={os.path.join(self.reports_path, 'report')}" for k, v in SANITIZERS.items()})
        environment["SERVAL_ADMIN_BIND"] = "off"  # one process less for each server, but where a test wants it
        environment.update(env or {})
        environment = {k: v for k, v in environment.items() if v is not None}
        with open(self.log_path, "ab") as err, open(self.out_path, "ab") as out:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True, **(popen or {}))
        self.pid = self.process.pid

    # What it says

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def sanitizer_reports(self):
        return [os.path.join(self.reports_path, name) for name in sorted(os.listdir(self.reports_path))]

    def access(self):
        """The lines on standard output, where the access log goes by default."""
        with open(self.out_path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()

    def expect_log(self, pattern, deadline=DEADLINE, count=1):
        """Waits for the `count`-th match of `pattern` in the log and returns it."""
        compiled = re.compile(pattern, re.MULTILINE)

        def look():
            matches = list(compiled.finditer(self.log()))
            if len(matches) >= count:
                return matches[count - 1]
            if self.process.poll() is not None:
                matches = list(compiled.finditer(self.log()))  # it may have said it with its last breath
                if len(matches) >= count:
                    return matches[count - 1]
                raise AssertionError(f"serval ended ({self.process.returncode}) without a log line like {pattern!r}")
            return None

        return wait_until(look, f"a log line like {pattern!r}", deadline)

    def expect_access(self, pattern, deadline=DEADLINE, count=1):
        """Waits until `count` access lines match, and returns them."""
        return wait_until(
            lambda: (found := [line for line in self.access() if re.search(pattern, line)])[count - 1:] and found,
            lambda: f"{count} access lines like {pattern!r}; there are {self.access()}", deadline)

    def wait_serving(self):
        self.expect_log(r"master .*: serving workers=\d+")
        return self

    # Where it listens

    @property
    def addresses(self):
        """Each as Client takes it, in the order of the configuration."""
        found = []
        for text in re.findall(r"listening address=\"?([^\s\"]+)", self.log()):
            if text.startswith("unix:"):
                path = text[len("unix:"):]
                found.append("\0" + path[1:] if path.startswith("@") else os.path.join(self.folder, path))
            else:
                host, _, port = text.rpartition(":")
                host = host.strip("[]")
                found.append(({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), int(port)))
        return found

    def client(self, which=0, **options):
        return Client(self.addresses[which], **options)

    def try_connect(self, which=0):
        """None if the connection is refused."""
        try:
            return self.client(which)
        except (ConnectionRefusedError, FileNotFoundError):
            return None

    def get(self, target="/", headers=()):
        """One request on a connection of its own."""
        with self.client() as client:
            return client.request("GET", target, [("Connection", "close"), *headers])

    # Its processes

    def workers(self):
        """{slot: pid} of the workers that live now, by their titles; of one that leaves and its successor, the successor."""
        found = {}
        for pid in sorted(process_tree.descendants(self.pid), key=process_tree.begun):
            match = re.match(r"serval: worker\[(\d+)\]", process_tree.title(pid))
            if match and process_tree.alive(pid):
                found[int(match[1])] = pid
        return found

    def client_at(self, pid):
        """A connection that this worker of `probe` serves: the others are stopped meanwhile, or the first one would take it."""
        others = [other for other in self.workers().values() if other != pid]
        for other in others:
            os.kill(other, signal.SIGSTOP)
        try:
            client = self.client()
            assert int(client.get("/pid").text) == pid
            return client
        finally:
            for other in others:
                os.kill(other, signal.SIGCONT)

    def mold(self):
        return next((pid for pid in process_tree.descendants(self.pid) if process_tree.title(pid).startswith("serval: mold")), None)

    def signal(self, number, pid=None):
        os.kill(pid or self.pid, number)

    def wait(self, deadline=DEADLINE):
        """The exit code (negative: the signal)."""
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"serval has not ended after {deadline:g} s") from None

    def stop_at_once(self):
        """As somebody does who has lost patience: signals that come within a second of the first one are that one (timeout(1) doubles it)."""

        def insists():
            self.signal(signal.SIGTERM)
            return "stopping at once: second signal" in self.log()

        wait_until(insists, "the second signal to count")

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait()


class ServalTest(unittest.TestCase):
    """Gives each test a folder, and afterwards asserts that every process it caused is gone."""

    # Small and quick; each test says what it changes.
    BASE = {
        "server": {"bind": ["127.0.0.1:0"]},
        "workers": {"count": 2, "threads": 2},
    }

    @classmethod
    def setUpClass(cls):
        process_tree.become_subreaper()

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="serval-test-")
        self.started = []
        self.folders = itertools.count()  # of what was started; threads may start something at once
        self.addCleanup(self._clean_up)

    def run(self, result=None):
        result = result or self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        self.folder = None
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            self._show()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        return result

    def _show(self):
        for serval in getattr(self, "started", []):
            reports = [("report of a sanitizer", path) for path in serval.sanitizer_reports()]
            for name, path in (("standard error", serval.log_path), ("standard output", serval.out_path), *reports):
                if os.path.exists(path):
                    with open(path, encoding="utf-8", errors="replace") as file:
                        lines = file.read().splitlines()
                    cut = [f"... {len(lines) - 120} lines ..."] if len(lines) > 120 else []
                    print(f"--- {self.id()}: {name} of {serval.process.args}", *cut, *lines[-120:], sep="\n", file=sys.stderr)

    def _clean_up(self):
        ours = {serval.pid: serval for serval in self.started}
        for serval in self.started:
            if serval.process.poll() is None:
                serval.signal(signal.SIGTERM)
        for serval in self.started:
            try:
                serval.process.wait(10)
            except subprocess.TimeoutExpired:
                stuck = process_tree.descendants(serval.pid)  # as it is when a test fails with requests at gates
                serval.process.kill()
                serval.process.wait()
                for pid in stuck:
                    process_tree.kill(pid)
                self.addCleanup(self.fail, f"serval {serval.pid} had not stopped 10 s after TERM")

        def left():
            process_tree.reap_adopted(keep=ours)
            return [pid for pid in process_tree.descendants(os.getpid()) if process_tree.alive(pid)]

        try:
            wait_until(lambda: not left(), "", deadline=5)
        except AssertionError:
            names = [f"{pid} {process_tree.title(pid)!r}" for pid in left()]
            for pid in left():
                process_tree.kill(pid)
            wait_until(lambda: not left(), "the end of processes killed with SIGKILL")
            self.fail(f"processes were left behind: {names}")
        for serval in self.started:
            self.assertIsNone(BUG.search(serval.log()), "a bug or a sanitizer spoke in the log")
            self.assertEqual(serval.sanitizer_reports(), [], "a sanitizer has found something")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def launch(self, *args, env=None, popen=None, prefix=(), program=SERVAL):
        """Any serval command, in a folder of its own below the test's; does not wait."""
        folder = self.path(f"run{next(self.folders)}")
        os.mkdir(folder)
        serval = Serval(folder, [*prefix, program, *args], env, popen)
        self.started.append(serval)
        return serval

    def start(self, *args, **options):
        """launch_config, and waits until it says that it serves."""
        return self.launch_config(*args, **options).wait_serving()

    def launch_config(self, app="hello", config=None, args=(), app_args=None, **options):
        """`serval run` with BASE and `config` (a dict, merged; or the whole text) in a file; does not wait."""
        if not isinstance(config, str):
            tables = merged(self.BASE, config)
            tables.setdefault("control", {}).setdefault("socket", self.path(f"control{len(self.started)}.sock"))
            if app is not None:
                tables.setdefault("app", {}).setdefault("library", app if "/" in app else library(app))
            if app_args is not None:
                tables["app"]["args"] = app_args
            config = toml(tables)
        file = self.write(f"serval{len(self.started)}.toml", config)
        return self.launch("run", "-c", file, *args, **options)

    # The test app `probe` holds a request at /gate?name=N until the test opens that gate: what is in flight is known, not guessed.

    def start_probe(self, config=None, **options):
        os.mkdir(self.path("gates"))
        return self.start(app="probe", config=config, app_args=["gates=" + self.path("gates")], **options)

    def wait_for_file(self, name):
        wait_until(lambda: os.path.exists(self.path(name)), f"the file {name}")

    def wait_entered(self, *names):
        for name in names:
            self.wait_for_file(f"gates/{name}.entered")

    def open_gate(self, *names):
        for name in names:
            self.write(f"gates/{name}.open", "")

    def run_command(self, *args, env=None):
        """A command that ends by itself: (exit code, standard output, standard error)."""
        serval = self.launch(*args, env=env)
        code = serval.wait()
        return code, "\n".join(serval.access()), serval.log()


def at_once(functions):
    """Runs all at once, each on a thread; returns their results in order, raising the first failure."""
    with concurrent.futures.ThreadPoolExecutor(len(functions)) as pool:
        return [future.result() for future in [pool.submit(function) for function in functions]]
