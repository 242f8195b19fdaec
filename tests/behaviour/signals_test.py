"""Signals that users, limits and devices may send, and that are no reason to end: to the master, the mold and the workers."""

import os
import re
import resource
import signal
import sys
import unittest

from http_client import Client, wait_until
from serval_process import ServalTest

HARMLESS = ("SIGPIPE", "SIGXFSZ", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGPWR")
MASTERS = ("SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGTTIN", "SIGTTOU")


class Harmless(ServalTest):
    def test_nobody_ends(self):
        serval = self.start()
        before = (serval.mold(), serval.workers())
        for name in HARMLESS:
            for pid in (serval.pid, serval.mold(), *serval.workers().values()):
                os.kill(pid, getattr(signal, name))
        for name in MASTERS + ("SIGXCPU", "SIGTERM", "SIGINT"):
            os.kill(serval.mold(), getattr(signal, name))
        for name in MASTERS:
            for pid in serval.workers().values():
                os.kill(pid, getattr(signal, name))
        os.kill(serval.pid, signal.SIGXCPU)
        for _ in range(20):
            self.assertEqual(serval.get().status, 200)
        self.assertEqual((serval.mold(), serval.workers()), before)
        self.assertEqual(serval.stop(), 0)
        self.assertNotIn("died", serval.log())

    def test_a_timer_of_whoever_started_it(self):
        """Timers outlive an exec (setitimer(2)); this one goes on and on."""
        first = 2 if "SERVAL_SANITIZED" in os.environ else 0.2  # it takes that long to begin then
        program = f"import os, signal, sys; signal.setitimer(signal.ITIMER_REAL, {first}, 0.01); os.execv(sys.argv[1], sys.argv[1:])"
        serval = self.start(prefix=(sys.executable, "-c", program))
        for _ in range(100):
            self.assertEqual(serval.get().status, 200)
        self.assertEqual(serval.stop(), 0)

    def test_a_worker_at_its_cpu_limit_is_replaced(self):
        serval = self.start(config={"workers": {"count": 1}})
        old = serval.workers()[0]
        os.kill(old, signal.SIGXCPU)
        serval.expect_log(r"worker leaves, it was told to by a signal")
        wait_until(lambda: old not in serval.workers().values() and serval.workers(), "another worker")
        self.assertEqual(serval.get().status, 200)


class FileSize(ServalTest):
    def test_logs_at_the_limit_of_file_size_cost_nothing_but_lines(self):
        limit = 64 * 1024
        serval = self.launch_config(
            config={"log": {"file": self.path("serval.log"), "access": self.path("access.log"), "level": "debug"},
                    "server": {"bind": ["unix:" + self.path("app.sock")]}})
        wait_until(lambda: os.path.exists(self.path("serval.log")) and "serving" in self.text("serval.log"), "a server")
        before = (serval.mold(), serval.workers())
        for pid in (serval.pid, serval.mold(), *serval.workers().values()):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, limit))
        with Client(self.path("app.sock")) as client:
            for number in range(400):
                self.assertEqual(client.get(f"/{number}", [("User-Agent", "x" * 500)]).status, 200)
        self.assertEqual(os.path.getsize(self.path("access.log")), limit)
        with open(self.path("serval.log"), "ab") as file:  # as a flood of lines would
            file.write(b"x" * (limit - os.path.getsize(self.path("serval.log"))))
        for _ in range(3):
            serval.signal(signal.SIGUSR1)
        with Client(self.path("app.sock")) as client:
            self.assertEqual(client.get().status, 200)
        self.assertEqual((serval.mold(), serval.workers()), before)
        self.assertEqual(serval.stop(), 0)

    def test_sums_of_lost_lines_survive_a_log_that_is_full_itself(self):
        logs = {"file": self.path("serval.log"), "access": self.path("access.log")}
        serval = self.launch_config(config={"log": logs, "server": {"bind": ["unix:" + self.path("app.sock")]}, "workers": {"count": 1}})
        wait_until(lambda: os.path.exists(logs["file"]) and "serving" in self.text("serval.log"), "a server")
        (worker,) = serval.workers().values()
        infinite = resource.RLIM_INFINITY
        with Client(self.path("app.sock")) as client:
            client.get("/written")
            wait_until(lambda: self.text("access.log").endswith("\n"), "its line")
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (1, infinite))
            for number in range(100):
                client.get(f"/{number}")
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (infinite, infinite))
            for number in range(10):
                client.get(f"/{number}")
        self.assertEqual(serval.stop(), 0)
        told = sum(int(count) for count in re.findall(r"access lines dropped count=(\d+)", self.text("serval.log")))
        self.assertEqual(told + self.text("access.log").count("\n"), 111)
        self.assertRegex(self.text("serval.log"), r"log lines dropped count=1 ")  # the first try to tell it

    def test_a_limit_that_is_too_low_to_begin_with_is_named(self):
        serval = self.launch_config(popen={"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))})
        self.assertEqual(serval.wait(), 73)
        self.assertRegex(serval.log(), r"memory file as large as .* need, \d+ bytes: File too large "
                                       r"\(the limit of this process, RLIMIT_FSIZE or ulimit -f, is 1024\)")

    def test_a_body_beyond_it_costs_its_request(self):
        serval = self.start("echo", {"request": {"spill_body": "1KiB"}})
        before = serval.workers()
        for pid in before.values():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (64 * 1024, 64 * 1024))
        with serval.client() as client:
            self.assertEqual(client.request("POST", "/", [], b"x" * 200_000).status, 500)
        serval.expect_log(r"error .*request body lost: cannot write the temporary file .*RLIMIT_FSIZE or ulimit -f, is 65536")
        self.assertEqual(serval.get().status, 200)
        self.assertEqual(serval.workers(), before)

    def text(self, name):
        with open(self.path(name), errors="replace") as file:
            return file.read()


if __name__ == "__main__":
    unittest.main()
