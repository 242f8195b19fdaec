"""A worker dies: what it served fails, everything else goes on, and the master is none the larger for it."""

import os
import re
import signal
import unittest

import process_tree
from http_client import Closed, request_bytes, wait_until
from serval_process import ServalTest

QUICK = {"restart": {"backoff_first": "1ms", "backoff_max": "1ms"}}


class WorkerDeath(ServalTest):
    def wait_replaced(self, serval, slot, dead, ready):
        """Until `slot` holds another process than `dead` and the log has `ready` ready lines."""
        wait_until(lambda: serval.workers().get(slot) not in (None, dead), f"a successor in slot {slot}")
        serval.expect_log(r"worker ready", count=ready)

    def test_two_hundred_deaths_leave_no_trace_in_the_master(self):
        serval = self.start(config=QUICK)
        ready = 2

        def kill_one(slot):
            nonlocal ready
            dead = serval.workers()[slot]
            os.kill(dead, signal.SIGKILL)
            ready += 1
            self.wait_replaced(serval, slot, dead, ready)

        def footprint():
            return (process_tree.fd_count(serval.pid), process_tree.thread_count(serval.pid),
                    process_tree.fd_count(serval.mold()), len(process_tree.descendants(serval.pid)))

        for turn in range(4):
            kill_one(turn % 2)
        before = footprint()
        for turn in range(200):
            kill_one(turn % 2)
        wait_until(lambda: footprint() == before, lambda: f"(master's fds, threads, mold's fds, processes) to be {before} again, not {footprint()}")
        self.assertEqual(serval.get().status, 200)

    def test_only_what_it_served_fails(self):
        os.mkdir(self.path("gates"))
        serval = self.start("probe", QUICK, app_args=["gates=" + self.path("gates")])
        clients = {}  # worker's pid: a client it serves
        for number in range(20):
            client = serval.client()
            self.addCleanup(client.close)
            pid = int(client.get("/pid").text)
            if pid not in clients:
                clients[pid] = client
            if len(clients) == 2:
                break
        self.assertEqual(len(clients), 2, "connections never reached both workers")
        for pid, client in clients.items():
            client.send(request_bytes(target=f"/gate?name={pid}"))
            self.wait_entered(str(pid))
        dead, survivor = clients
        os.kill(dead, signal.SIGKILL)
        with self.assertRaises((Closed, ConnectionResetError)):
            clients[dead].read_response()
        for _ in range(10):
            self.assertEqual(serval.get("/pid").status, 200)
        self.open_gate(str(survivor))
        self.assertEqual(clients[survivor].read_response().status, 200)
        serval.expect_log(rf"error .*worker died .*worker_pid={dead}\b.*SIGKILL")
        serval.expect_log(r"worker ready", count=3)

    def test_the_log_says_who_died_of_what(self):
        serval = self.start(config=QUICK)
        dead = serval.workers()[1]
        os.kill(dead, signal.SIGKILL)
        serval.expect_log(rf"error +master .*worker died slot=1 worker_pid={dead} .*SIGKILL")

    def test_a_worker_that_gets_term_from_outside_finishes_and_is_replaced(self):
        os.mkdir(self.path("gates"))
        serval = self.start("probe", {**QUICK, "workers": {"count": 1, "threads": 2}}, app_args=["gates=" + self.path("gates")])
        old = serval.workers()[0]
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=a"))
            self.wait_entered("a")
            os.kill(old, signal.SIGTERM)
            serval.expect_log(r"worker ready", count=2)
            self.assertNotEqual(int(serval.get("/pid").text), old, "the successor serves while the old one finishes")
            self.open_gate("a")
            self.assertEqual(client.read_response().status, 200)
        wait_until(lambda: not process_tree.alive(old), "the old worker's end")
        self.assertIsNone(serval.process.poll())

    def test_a_worker_ignores_hup_and_usr2(self):
        serval = self.start(config={"workers": {"count": 1, "threads": 1}})
        worker = serval.workers()[0]
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            os.kill(worker, number)
            self.assertEqual(serval.get().status, 200)
        self.assertEqual(serval.workers(), {0: worker})

    def test_workers_come_back_after_all_died(self):
        serval = self.start(config={**QUICK, "workers": {"count": 3, "threads": 1}})
        for pid in serval.workers().values():
            os.kill(pid, signal.SIGKILL)
        serval.expect_log(r"worker ready", count=6)
        self.assertEqual(sorted(serval.workers()), [0, 1, 2])
        self.assertEqual(serval.get().status, 200)

    def test_workers_come_back_after_the_mold_died_too(self):
        serval = self.start(config=QUICK)
        mold = serval.mold()
        os.kill(mold, signal.SIGKILL)
        self.assertEqual(serval.get().status, 200)
        wait_until(lambda: serval.mold() not in (None, mold), "another mold")
        dead = serval.workers()[0]
        os.kill(dead, signal.SIGKILL)
        self.wait_replaced(serval, 0, dead, 3)
        self.assertEqual(serval.get().status, 200)

    def test_crashes_are_slowed_down(self):
        """Each crash doubles the wait: the log names a delay, and the delays do not exceed backoff_max."""
        serval = self.start("faulty", {"restart": {"backoff_first": "10ms", "backoff_max": "80ms"}, "workers": {"count": 1, "threads": 1}})
        for crash in range(6):
            with serval.client() as client:
                client.send(request_bytes(target="/crash"))
                with self.assertRaises((Closed, ConnectionResetError)):
                    client.read_response()
            serval.expect_log(r"worker ready", count=crash + 2)
        delays = [int(delay) for delay in re.findall(r'worker died.*next="restarting in (\d+)ms"', serval.log())]
        at_once = serval.log().count('next="restarting at once"')
        self.assertEqual(len(delays) + at_once, 6, serval.log())
        self.assertLessEqual(max(delays, default=0), 80)

    def test_giving_up(self):
        serval = self.start("faulty", {"restart": {"backoff_first": "1ms", "backoff_max": "1ms", "give_up_after": 3}, "workers": {"count": 1, "threads": 1}})
        for crash in range(3):
            with serval.client() as client:
                client.send(request_bytes(target="/crash"))
                with self.assertRaises((Closed, ConnectionResetError)):
                    client.read_response()
            if crash < 2:
                serval.expect_log(r"worker ready", count=crash + 2)
        self.assertEqual(serval.wait(), 75)
        self.assertRegex(serval.log(), r"giving up")


if __name__ == "__main__":
    unittest.main()
