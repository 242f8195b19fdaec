"""serval as process 1 of a container: it reaps whatever is left to it, and stops on TERM."""

import os
import re
import signal
import subprocess
import unittest

import process_tree
from http_client import wait_until
from serval_process import ServalTest

UNSHARE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child=KILL")


class Pid1(ServalTest):
    def start_as_pid1(self, app, **options):
        allowed = subprocess.run([*UNSHARE, "true"], stderr=subprocess.PIPE, text=True)
        if allowed.returncode != 0:
            self.skipTest("may not make a pid namespace here: " + allowed.stderr.strip())
        serval = self.start(app, prefix=UNSHARE, **options)
        [self.inner] = [pid for pid in process_tree.descendants(serval.pid) if process_tree.parent(pid) == serval.pid]
        self.addCleanup(process_tree.kill, self.inner, signal.SIGTERM)  # unshare itself ignores it
        return serval

    def zombies(self):
        return [pid for pid in process_tree.descendants(self.inner) if process_tree.state(pid) == "Z"]

    def test_it_serves_and_stops(self):
        serval = self.start_as_pid1("hello")
        self.assertRegex(serval.log(), r"master pid=1: ")
        self.assertEqual(serval.get().status, 200)
        os.kill(self.inner, signal.SIGTERM)
        self.assertEqual(serval.wait(), 0)

    def test_orphans_are_reaped(self):
        serval = self.start_as_pid1("probe")
        for code in (0, 3):
            # the request leaves a child whose parent is gone at once, so that it becomes the master's
            orphan = serval.get(f"/orphan?code={code}")
            self.assertEqual(orphan.status, 200)
        before = len(process_tree.descendants(self.inner))
        self.assertGreaterEqual(before, 3)
        wait_until(lambda: len(process_tree.descendants(self.inner)) == 3, lambda: f"only mold and workers below the master; zombies: {self.zombies()}")
        self.assertEqual(serval.get().status, 200)
        self.assertNotRegex(serval.log(), r" error |worker died")

    def test_a_child_of_a_dead_worker_is_adopted_and_reaped(self):
        serval = self.start_as_pid1("faulty")
        self.assertEqual(serval.get("/spawn").status, 200)
        [child] = [pid for pid in process_tree.descendants(self.inner) if process_tree.title(pid).startswith("sleep ")]
        os.kill(process_tree.parent(child), signal.SIGKILL)
        wait_until(lambda: process_tree.parent(child) == self.inner, "the master to adopt the child")
        self.assertEqual(serval.get().status, 200)
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: process_tree.state(child) is None, "the child to be reaped")

    def test_workers_that_die_are_reaped(self):
        serval = self.start_as_pid1("hello", config={"restart": {"backoff_first": "1ms", "backoff_max": "1ms"}})
        for turn in range(5):
            workers = [pid for pid in process_tree.descendants(self.inner) if re.match(r"serval: worker", process_tree.title(pid))]
            os.kill(workers[0], signal.SIGKILL)
            serval.expect_log(r"worker ready", count=3 + turn)
        wait_until(lambda: not self.zombies(), "no zombie below the master")


if __name__ == "__main__":
    unittest.main()
