"""Signals that users, limits and devices may send, and that are no reason to end: to the master, the mold and the workers."""

import os
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
        program = "import os, signal, sys; signal.setitimer(signal.ITIMER_REAL, 0.2, 0.01); os.execv(sys.argv[1], sys.argv[1:])"
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

    def text(self, name):
        with open(self.path(name), errors="replace") as file:
            return file.read()


if __name__ == "__main__":
    unittest.main()
