"""Signals in the midst of a reload: a stop in any of its phases ends cleanly, and a storm of reloads in one generation."""

import signal
import time
import unittest

from http_client import request_bytes, wait_until
from load import Load
from reloads import ReloadTest


class Interrupted(ReloadTest):
    def stop_during(self, phase, number=signal.SIGTERM):
        """What is in flight is answered; the command that waits for the reload is told, or sees the end."""
        serval = self.start_gated(shutdown={"grace": "2s"})
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=last"))
            self.wait_entered("last")
            reload = self.reload_until(phase)
            serval.signal(number)
            serval.expect_log(r"stopping signal=")
            self.open_gate("last")
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual(serval.wait(), 0)  # who stands at a gate is killed when the grace is over, or before
        self.assertNotEqual(reload.wait(), 0)
        self.assertNotRegex(serval.log(), r" error master")

    def test_a_stop_while_the_next_generation_loads(self):
        self.stop_during("loading")

    def test_a_stop_while_its_first_worker_starts(self):
        self.stop_during("canary")

    def test_a_stop_while_the_others_follow(self):
        self.stop_during("rolling")

    def test_an_interrupt_is_the_same(self):
        self.stop_during("canary", signal.SIGINT)

    def test_a_storm_of_hups_ends_in_one_generation_and_nobody_notices(self):
        serval = self.start_replaceable(workers={"count": 3})
        with Load(serval, clients=4, target="/generation") as load:
            load.wait_for(20)
            for _ in range(50):
                serval.signal(signal.SIGHUP)
                time.sleep(0.002)  # 100 ms for all; else they merge in the kernel
            code, out, err = self.command("reload")
            self.assertEqual(code, 0, err)
            newest = int(out.split()[1])
            wait_until(lambda: len(self.processes(serval, "serval: worker")) == 3, "the old workers to be gone")
            self.assertEqual(self.generations(serval), {newest})
            load.wait_for(20)
        self.assertEqual(load.failures, [])
        self.assertEqual(len(self.processes(serval, rf"serval: (worker\[\d+\]|mold) gen={newest}\b")), 4)
        self.assertEqual(len(self.processes(serval, "serval: ")), 4, "and nobody else")


if __name__ == "__main__":
    unittest.main()
