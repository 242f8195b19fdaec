"""A worker that does not become ready within [workers] boot_timeout is killed, the log says so, and who serves goes on serving."""

import os
import signal
import unittest

import process_tree
from http_client import wait_until
from serval_process import ServalTest

HUNG = r"warning .*worker does not become ready, killing it slot=\d+ worker_pid=(\d+) why=\"not ready within 500ms \(workers\.boot_timeout\)\""


class BootTimeout(ServalTest):
    QUICK = {"restart": {"backoff_first": "1ms", "backoff_max": "1ms"}}

    def start_then_hang(self, **workers):
        """The first workers start well; all later ones hang in worker_start until the file boot.open is there again."""
        self.write("boot.open", "")
        serval = self.start("probe", {**self.QUICK, "workers": {"count": 2, "threads": 1, "boot_timeout": "500ms", **workers}},
                            app_args=["start_gate=" + self.path("boot")])
        os.remove(self.path("boot.open"))
        return serval

    def test_the_first_boot_ends_the_server(self):
        for how in ("start=hang", "ready=no"):
            with self.subTest(how):
                serval = self.launch_config("faulty", {**self.QUICK, "workers": {"count": 1, "boot_timeout": "500ms"}}, app_args=[how])
                self.assertEqual(serval.wait(), 1)
                self.assertRegex(serval.log(), HUNG)
                self.assertRegex(serval.log(), r"error .*the app did not boot in any worker why=\"not ready within 500ms")

    def test_a_successor_that_hangs_is_killed_and_tried_again(self):
        serval = self.start_then_hang()
        slot, dead = sorted(serval.workers().items())[0]
        os.kill(dead, signal.SIGKILL)
        hung = int(serval.expect_log(HUNG)[1])
        serval.expect_log(rf"worker died slot=\d+ worker_pid={hung} .*signal=SIGKILL .*cause=boot_failed why=\"not ready within 500ms")
        wait_until(lambda: not process_tree.alive(hung), "its end")
        self.assertEqual(serval.get().status, 200)
        self.write("boot.open", "")
        serval.expect_log(r"worker ready", count=3)
        wait_until(lambda: len(serval.workers()) == 2, "two workers")

    def test_who_was_to_be_replaced_serves_on(self):
        """max_requests are over, but nobody comes: better an old worker than none."""
        serval = self.start_then_hang(count=1, max_requests=5)
        old = serval.workers()[0]
        for _ in range(5):
            self.assertEqual(serval.get().status, 200)
        serval.expect_log(HUNG, count=2)
        self.assertEqual(int(serval.get("/pid").text), old)
        self.assertNotIn("draining", serval.log())
        self.write("boot.open", "")
        serval.expect_log(rf"worker stopped slot=0 worker_pid={old} .*cause=max_requests")
        self.assertNotEqual(int(serval.get("/pid").text), old)


if __name__ == "__main__":
    unittest.main()
