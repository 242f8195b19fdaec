"""A worker above the soft memory ceiling is replaced, its successor first; one above the hard ceiling is killed; a spike is forgiven."""

import os
import subprocess
import time
import unittest

from http_client import Closed, request_bytes, wait_until
from load import Load
from scoreboard import Watch
from serval_process import ServalTest


def folder_on_disk():
    """Where a file is no memory."""
    for folder in "/var/tmp", os.getcwd():
        if subprocess.run(["stat", "-fc", "%T", folder], capture_output=True, text=True, check=True).stdout.strip() != "tmpfs":
            return folder
    raise unittest.SkipTest("every folder here is a tmpfs")


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


class MemoryCeiling(ServalTest):
    def start_limited(self, count=2, **memory):
        return self.start("faulty", {"workers": {"count": count, "threads": 2}, "memory": memory})

    def test_a_leak_is_recycled_without_a_failed_request(self):
        serval = self.start_limited(soft="48MiB", interval="50ms", samples=2)
        with Load(serval, clients=3, target="/leak?kib=1024") as load, Watch(serval) as watch:
            serval.expect_log(r"worker stopped .*exit_code=0 .*cause=memory_soft next=\"its successor is there\"", count=4)
        self.assertEqual(load.failures, [])
        self.assertGreaterEqual(watch.fewest_serving, 2)
        self.assertLessEqual(watch.most_workers, 3, "more than max_recycling were being replaced")
        serval.expect_log(r"warning .*worker is above the soft memory ceiling slot=\d+ worker_pid=\d+ memory=\S+ ceiling=48MiB measure=pss")

    def killed_above_hard(self, interval, measure="pss"):
        serval = self.start_limited(hard="256MiB", interval=interval, measure=measure)
        with serval.client() as client:
            client.send(request_bytes(target="/alloc?mib=512&ms=60000"))
            with self.assertRaises((Closed, ConnectionResetError)):
                client.read_response()
        line = serval.expect_log(rf"error .*worker is above the hard memory ceiling slot=\d+ worker_pid=(\d+) .*ceiling=256MiB measure={measure}")
        serval.expect_log(rf"worker stopped slot=\d+ worker_pid={line[1]} .*signal=SIGKILL .*cause=memory_hard next=\"its successor")
        serval.expect_log(r"request lost with its worker .*target=\S*/alloc\?mib=512")
        serval.expect_log(r"worker ready", count=3)
        self.assertEqual(serval.get().status, 200)
        self.assertNotRegex(serval.log(), r"cause=(oom|crash)")

    def test_a_sudden_allocation_is_killed_for_it(self):
        self.killed_above_hard("100ms")

    def test_every_measure_sees_it(self):
        for measure in ("rss", "uss"):
            with self.subTest(measure):
                self.killed_above_hard("50ms", measure)

    @unittest.skipIf("SERVAL_SANITIZED" in os.environ, "a sanitizer's own memory is more than that")
    def test_a_spilled_body_does_not_count(self):
        """It is a file that is mapped: the kernel takes its pages back when it needs room."""
        size = 96 << 20
        os.mkdir(self.path("gates"))
        for measure in ("pss", "rss", "uss"):
            with self.subTest(measure):
                serval = self.start("probe", {"workers": {"count": 1, "threads": 1}, "request": {"max_body": "256MiB"},
                                              "memory": {"hard": "48MiB", "interval": "20ms", "measure": measure}},
                                    app_args=["gates=" + self.path("gates")], env={"TMPDIR": folder_on_disk()})
                workers = serval.workers()
                with serval.client() as client:
                    client.send(request_bytes("POST", f"/read?name={measure}", [("Content-Length", str(size))]))
                    for _ in range(size >> 20):
                        client.send(b"\n" * (1 << 20))
                    self.wait_entered(measure)
                    self.assertGreater(resident_kib(workers[0]), size >> 10, "the whole body is mapped and has been read")
                    end = time.monotonic() + 0.5
                    wait_until(lambda: time.monotonic() > end, "many looks")
                    self.open_gate(measure)
                    self.assertEqual(client.read_response().text, str(size))
                self.assertEqual(serval.workers(), workers)
                self.assertNotIn("above the hard", serval.log())

    @unittest.skipIf("SERVAL_SANITIZED" in os.environ, "sanitizers keep what is freed")
    def test_a_spike_is_forgiven(self):
        """It is over before the second look, which comes half an interval after the one that may have seen it."""
        serval = self.start_limited(soft="48MiB", hard="96MiB", interval="2s", samples=2)
        workers = serval.workers()
        self.assertEqual(serval.get("/alloc?mib=128&ms=100").status, 200)
        end = time.monotonic() + 3
        wait_until(lambda: time.monotonic() > end, "the looks that follow")
        self.assertEqual(serval.workers(), workers)
        self.assertNotRegex(serval.log(), r"memory|replacing|worker (stopped|died)")

    def test_a_dip_starts_the_count_anew(self):
        """Only looks in a row count: spikes with pauses between them are none."""
        serval = self.start_limited(count=1, soft="48MiB", interval="20ms", samples=1000)
        workers = serval.workers()
        for _ in range(3):
            self.assertEqual(serval.get("/alloc?mib=64&ms=200").status, 200)
        self.assertEqual(serval.workers(), workers)
        self.assertNotIn("above the soft", serval.log())


if __name__ == "__main__":
    unittest.main()
