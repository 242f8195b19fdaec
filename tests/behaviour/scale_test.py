"""TTIN and TTOU: one worker more, one worker fewer, at once or many times, under load, never below one."""

import os
import re
import signal
import unittest

from http_client import request_bytes, wait_until
from load import Load
from scoreboard import Scoreboard, Watch
from serval_process import ServalTest


class Scale(ServalTest):
    def scale(self, serval, number, to=None):
        """Sends the signal and waits until the master has said what it makes of it: pending signals of a kind merge (signal(7))."""
        said = re.compile(r"master .*: (?:scaling from=\d+ to=|the number of workers stays workers=)(\d+)")
        before = len(said.findall(serval.log()))
        serval.signal(number)
        match = serval.expect_log(said.pattern, count=before + 1)
        if to is not None:
            self.assertEqual(int(match[1]), to)

    def wait_for_workers(self, serval, count):
        """Until so many serve and there are no others."""
        with Scoreboard(serval.pid) as board:
            wait_until(lambda: [slot.phase for slot in board.workers()] == ["serving"] * count,
                       lambda: f"{count} serving workers and no others; there are {board.workers()}")

    def test_the_command_does_not_wait_for_workers_that_cannot_start(self):
        serval = self.start("probe", app_args=["start_crash=" + self.path("crash")])
        self.write("crash", "")
        code, _, error = self.run_command("scale", "4", "--socket", self.path("control0.sock"))
        self.assertEqual(code, 1)
        self.assertIn("a worker did not start", error)
        self.assertEqual(serval.get().status, 200)
        os.remove(self.path("crash"))
        self.wait_for_workers(serval, 4)

    def test_more_and_fewer(self):
        serval = self.start()
        old = serval.workers()
        self.scale(serval, signal.SIGTTIN, 3)
        self.wait_for_workers(serval, 3)
        serval.expect_log(r"scaling from=2 to=3 asked_by=TTIN")
        self.scale(serval, signal.SIGTTOU, 2)
        self.wait_for_workers(serval, 2)
        serval.expect_log(r"scaling from=3 to=2 asked_by=TTOU")
        serval.expect_log(r"worker stopped slot=2 .*exit_code=0 cause=scale")
        self.assertEqual(serval.workers(), old, "the youngest leaves")
        self.assertEqual(serval.get().status, 200)

    def test_never_below_one(self):
        serval = self.start()
        for _ in range(5):
            self.scale(serval, signal.SIGTTOU)
        self.wait_for_workers(serval, 1)
        serval.expect_log(r"warning .*the number of workers stays workers=1 ", count=4)
        self.assertEqual(serval.get().status, 200)
        self.scale(serval, signal.SIGTTIN, 2)
        self.wait_for_workers(serval, 2)

    def test_many_quickly(self):
        """Pending signals of a kind merge, so how many count is not known; the log says what came of those that did."""
        serval = self.start(config={"workers": {"count": 1, "threads": 1}})
        for number in [signal.SIGTTIN] * 12 + [signal.SIGTTIN, signal.SIGTTOU] * 4:  # not more than the log tells one by one
            serval.signal(number)
        serval.expect_log(r"scaling from=1 to=2 asked_by=TTIN")
        with Scoreboard(serval.pid) as board:
            def settled(wanted=None):
                wanted = wanted or int(re.findall(r"scaling from=\d+ to=(\d+)", serval.log())[-1])
                return [slot.phase for slot in board.workers()] == ["serving"] * wanted and wanted

            count = wait_until(settled, lambda: f"all to settle; there are {board.workers()}")
            for wanted in range(count - 1, 0, -1):
                serval.signal(signal.SIGTTOU)
                wait_until(lambda: settled(wanted), lambda: f"{wanted} serving workers and no others; there are {board.workers()}")
        self.assertEqual(serval.get().status, 200)
        self.assertNotRegex(serval.log(), r"worker died|killing")

    def test_under_load_no_request_fails(self):
        serval = self.start(config={"workers": {"count": 2, "threads": 2}})
        with Load(serval, clients=4) as load, Watch(serval) as watch:
            for _ in range(2):
                for to in (3, 4, 5):
                    self.scale(serval, signal.SIGTTIN, to)
                load.wait_for(50)
                for to in (4, 3, 2, 1):
                    self.scale(serval, signal.SIGTTOU, to)
                load.wait_for(50)
                self.scale(serval, signal.SIGTTIN, 2)
            self.wait_for_workers(serval, 2)
        self.assertEqual(load.failures, [])
        self.assertGreaterEqual(watch.fewest_serving, 1)

    def test_a_request_in_flight_is_finished(self):
        serval = self.start_probe({"workers": {"count": 2, "threads": 1}})
        clients = []
        for number in range(2):  # one on each worker: the second one finds the first busy
            clients.append(client := serval.client())
            self.addCleanup(client.close)
            client.send(request_bytes(target=f"/gate?name={number}"))
            self.wait_entered(str(number))
        self.scale(serval, signal.SIGTTOU, 1)
        serval.expect_log(r"worker\[1\] .*: draining ")
        self.open_gate("0", "1")
        self.assertEqual([client.read_response().status for client in clients], [200, 200])
        self.wait_for_workers(serval, 1)

    def test_those_who_boot_or_wait_to_be_started_leave_first(self):
        self.write("boot.open", "")
        serval = self.start("probe", {"workers": {"count": 1, "threads": 1}}, app_args=["start_gate=" + self.path("boot")])
        old = serval.workers()
        os.remove(self.path("boot.open"))
        self.scale(serval, signal.SIGTTIN, 2)
        wait_until(lambda: len(serval.workers()) == 2, "a second worker, which boots")
        self.scale(serval, signal.SIGTTOU, 1)
        self.write("boot.open", "")
        wait_until(lambda: serval.workers() == old, lambda: f"the old worker and no other; there are {serval.workers()}")
        self.wait_for_workers(serval, 1)


if __name__ == "__main__":
    unittest.main()
