"""The master is killed: workers finish their requests and leave, the mold leaves, nothing is orphaned."""

import os
import signal
import unittest

import process_tree
from http_client import request_bytes, wait_until
from serval_process import ServalTest


class MasterDeath(ServalTest):
    def test_requests_in_flight_are_finished_then_all_leave(self):
        os.mkdir(self.path("gates"))
        serval = self.start("probe", app_args=["gates=" + self.path("gates")])
        family = process_tree.descendants(serval.pid)
        self.assertEqual(len(family), 3)
        with serval.client() as client, serval.client() as idle:
            client.send(request_bytes(target="/gate?name=a"))
            self.wait_entered("a")
            self.assertEqual(idle.get("/pid").status, 200)
            serval.signal(signal.SIGKILL)
            self.assertTrue(idle.ended())
            self.open_gate("a")
            response = client.read_response()
            self.assertEqual(response.status, 200)
            self.assertTrue(response.closes)
        wait_until(lambda: not any(map(process_tree.alive, family)), "the end of mold and workers")
        self.assertIsNone(serval.try_connect())

    def test_while_preloading(self):
        serval = self.launch_config("faulty", app_args=["preload=slow:2000"])
        wait_until(serval.mold, "the mold")
        family = process_tree.descendants(serval.pid)
        serval.signal(signal.SIGKILL)
        wait_until(lambda: not any(map(process_tree.alive, family)), "the end of the mold")

    def test_while_a_worker_starts(self):
        """Nobody is left to end it at its boot_timeout."""
        serval = self.launch_config("probe", app_args=["start_gate=" + self.path("boot")], config={"workers": {"count": 2, "threads": 1}})
        wait_until(lambda: os.path.exists(self.path("boot.entered")) and len(serval.workers()) == 2, "two workers that start")
        family = process_tree.descendants(serval.pid)
        self.assertEqual(len(family), 3)
        serval.signal(signal.SIGKILL)
        wait_until(lambda: not any(map(process_tree.alive, family)), "the end of mold and workers")

    def test_a_request_that_never_ends_does_not_keep_a_worker_for_ever(self):
        os.mkdir(self.path("gates"))
        serval = self.start("probe", {"shutdown": {"grace": "1s"}}, app_args=["gates=" + self.path("gates")])
        family = process_tree.descendants(serval.pid)
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=closed"))
            self.wait_entered("closed")
            serval.signal(signal.SIGKILL)
            wait_until(lambda: not any(map(process_tree.alive, family)), "the end of mold and workers")


if __name__ == "__main__":
    unittest.main()
