"""A stop waits for answers, not for what nobody needs: a worker that is still starting, a client that has sent half a head."""

import signal
import time

from http_client import wait_until
from serval_process import ServalTest


class StopAtOnce(ServalTest):
    BASE = ServalTest.BASE | {"workers": {"count": 1, "threads": 2}}

    def begun(self):
        with open(self.path("boot.entered"), encoding="utf-8") as file:
            return len(file.readlines())

    def test_a_worker_in_worker_start_is_not_waited_for(self):
        serval = self.launch_config("probe", app_args=["start_gate=" + self.path("boot")])
        self.wait_for_file("boot.entered")
        begin = time.monotonic()
        self.assertEqual(serval.stop(), 0)
        self.assertLess(time.monotonic() - begin, 10, "the grace is 30 s")
        serval.expect_log("worker is still starting, killing it")

    def test_one_beside_workers_that_serve(self):
        serval = self.launch_config("probe", app_args=["start_gate=" + self.path("boot")])
        self.wait_for_file("boot.entered")
        self.write("boot.once", "")
        serval.wait_serving()
        serval.signal(signal.SIGTTIN)
        wait_until(lambda: self.begun() == 2, "the second worker's start")
        self.assertEqual(serval.get().status, 200)
        begin = time.monotonic()
        self.assertEqual(serval.stop(), 0)
        self.assertLess(time.monotonic() - begin, 10)

    def test_half_a_head_is_given_little_time(self):
        serval = self.start("hello", {"request": {"header_timeout": "60s"}})
        with serval.client() as half, serval.client() as late:
            half.send(b"GET / HTTP/1.1\r\n")
            late.send(b"GET / HTTP/1.1\r\n")
            self.assertEqual(serval.get().status, 200)  # they have been read by now
            begin = time.monotonic()
            serval.signal(signal.SIGTERM)
            serval.expect_log(r"draining why=asked")
            late.send(b"Host: test\r\n\r\n")
            self.assertEqual(late.read_response().status, 200, "who finishes in time is answered")
            self.assertEqual(half.read_response().status, 408)
            self.assertEqual(serval.wait(), 0)
            self.assertLess(time.monotonic() - begin, 15)
