"""A worker whose I/O loop makes no progress is killed and replaced; one that only does not get to run is left alone."""

import os
import signal
import subprocess
import time
import unittest

import process_tree
from http_client import request_bytes, wait_until
from load import Load
from scoreboard import Scoreboard
from serval_process import ServalTest

TIMEOUT = 0.3
HUNG = r"error +master .*worker hangs: its I/O loop makes no progress"


class Heartbeat(ServalTest):
    def start_beating(self, app="hello", timeout="300ms", **workers):
        return self.start(app, {"workers": {"count": 2, "threads": 2, "heartbeat_timeout": timeout, **workers}})

    def wait_past(self, seconds):
        """There is no sign of something that must not happen but that its time has passed."""
        end = time.monotonic() + seconds
        wait_until(lambda: time.monotonic() > end, "the time to pass")

    def assert_nobody_was_killed(self, serval, workers):
        self.assertEqual(serval.workers(), workers)
        self.assertNotRegex(serval.log(), r"worker hangs|worker died|worker stopped|replacing worker")
        self.assertEqual(serval.get().status, 200)

    def test_the_loop_beats_while_nothing_happens(self):
        serval = self.start_beating()
        with Scoreboard(serval.pid) as board:
            before = {slot.pid: slot.beat for slot in board.serving()}
            self.assertEqual(len(before), 2)
            wait_until(lambda: all(board.of(pid).beat > beat for pid, beat in before.items()), "another beat of each worker")

    def test_a_stopped_worker_is_replaced(self):
        serval = self.start_beating()
        dead = serval.workers()[0]
        os.kill(dead, signal.SIGSTOP)
        line = serval.expect_log(HUNG + rf" slot=0 worker_pid={dead} silent_ms=(\d+) loop=\"stopped by a signal\" cause=heartbeat_timeout")
        self.assertGreaterEqual(int(line[1]), 1000 * TIMEOUT)
        self.assertLess(int(line[1]), 1000 * (TIMEOUT + 1))
        serval.expect_log(rf"worker stopped slot=0 worker_pid={dead} .*signal=SIGKILL .*cause=heartbeat_timeout next=\"its successor")
        serval.expect_log(r"worker ready", count=3)
        wait_until(lambda: not process_tree.alive(dead), "the end of the stopped worker")
        with Scoreboard(serval.pid) as board:
            self.assertEqual(len(board.serving()), 2)
        self.assertEqual(serval.get().status, 200)

    def test_all_workers_stopped_at_once(self):
        serval = self.start_beating(count=3)
        for dead in serval.workers().values():
            os.kill(dead, signal.SIGSTOP)
        with serval.client() as client:
            client.send(request_bytes())  # waits in the accept queue for whoever comes
            self.assertEqual(client.read_response().status, 200)
        serval.expect_log(HUNG, count=3)
        serval.expect_log(r"worker ready", count=6)

    def test_the_request_of_a_hung_worker_is_named(self):
        os.mkdir(self.path("gates"))
        serval = self.start("probe", {"workers": {"count": 1, "threads": 2, "heartbeat_timeout": "300ms"}}, app_args=["gates=" + self.path("gates")])
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=a"))
            self.wait_entered("a")
            os.kill(serval.workers()[0], signal.SIGSTOP)
            serval.expect_log(r"request lost with its worker slot=0 .*method=GET target=\S*/gate\?name=a")
            self.assertTrue(client.ended())
        serval.expect_log(r"worker ready", count=2)

    def test_a_worker_that_is_stopped_while_it_drains_does_not_keep_the_grace(self):
        os.mkdir(self.path("gates"))
        for order, number, to_worker in (("stop", signal.SIGTERM, False), ("reload", signal.SIGHUP, False), ("manual", signal.SIGTERM, True)):
            with self.subTest(order):
                serval = self.start("probe", {"workers": {"count": 1, "threads": 2, "heartbeat_timeout": "300ms"}, "shutdown": {"grace": "10m"}},
                                    app_args=["gates=" + self.path("gates")])
                worker = serval.workers()[0]
                with serval.client() as client:
                    client.send(request_bytes(target=f"/gate?name={order}"))
                    self.wait_entered(order)
                    os.kill(worker, number) if to_worker else serval.signal(number)
                    serval.expect_log(r" draining ")
                    os.kill(worker, signal.SIGSTOP)
                    serval.expect_log(HUNG + rf" slot=0 worker_pid={worker} .*cause=heartbeat_timeout next=\"killing it, it does not drain\"")
                    serval.expect_log(rf"request lost with its worker slot=0 worker_pid={worker} .*target=\S*/gate\?name={order}")
                    serval.expect_log(rf"worker_pid={worker} .*cause=heartbeat_timeout first_cause={order}")
                self.assertEqual(serval.wait() if order == "stop" else serval.stop(), 0)

    def test_an_app_may_take_its_time_when_its_worker_stops(self):
        os.mkdir(self.path("gates"))
        serval = self.start("probe", {"workers": {"count": 1, "threads": 2, "heartbeat_timeout": "200ms"}},
                            app_args=["gates=" + self.path("gates"), "stop_gate=" + self.path("gates/stop")])
        serval.signal(signal.SIGTERM)
        self.wait_entered("stop")
        self.wait_past(1.5)
        self.open_gate("stop")
        self.assertEqual(serval.wait(), 0)
        self.assertNotIn("worker hangs", serval.log())

    def test_handlers_that_take_long_do_not_hold_up_the_loop(self):
        serval = self.start_beating("faulty", timeout="200ms", count=1, threads=1)
        workers = serval.workers()
        for target in ("/sleep?ms=1000", "/spin?ms=1000"):
            self.assertEqual(serval.get(target).status, 200)
        self.assert_nobody_was_killed(serval, workers)

    def test_a_worker_that_waits_for_a_cpu_is_left_alone(self):
        serval = self.start_beating(timeout="200ms")
        workers = serval.workers()
        busy = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(4 * len(os.sched_getaffinity(0)))]
        try:
            with Load(serval, clients=2) as load:
                self.wait_past(3)
        finally:
            for process in busy:
                process.kill()
                process.wait()
        self.assertEqual(load.failures, [])
        self.assert_nobody_was_killed(serval, workers)

    def pause_all(self, serval, seconds, wake_up):
        """All processes of the server stand still, as in a paused container; then `wake_up` is called."""
        os.killpg(serval.pid, signal.SIGSTOP)
        family = [serval.pid, *process_tree.descendants(serval.pid)]
        wait_until(lambda: all(process_tree.state(pid) == "T" for pid in family), "all processes to stand still")
        self.wait_past(seconds)
        wake_up(family)

    def survive_pause(self, seconds, wake_up):
        serval = self.start_beating()
        workers = serval.workers()
        self.pause_all(serval, seconds, lambda family: wake_up(serval))
        with Scoreboard(serval.pid) as board:
            now = time.monotonic_ns()
            wait_until(lambda: all(slot.beat > now + 2e9 * TIMEOUT for slot in board.workers()), "beats for two more timeouts")
        self.assert_nobody_was_killed(serval, workers)

    def wake_all(self, serval):
        os.killpg(serval.pid, signal.SIGCONT)

    def wake_master_first(self, serval):
        """And the others only when it has looked around: nobody says in which order a machine's processes go on."""
        os.kill(serval.pid, signal.SIGCONT)
        try:
            wait_until(lambda: process_tree.state(serval.pid) == "S", "the master to have looked around")
        finally:
            os.killpg(serval.pid, signal.SIGCONT)

    def test_a_short_pause_of_the_whole_server_kills_nobody(self):
        self.survive_pause(2 * TIMEOUT, self.wake_all)

    def test_a_long_pause_of_the_whole_server_kills_nobody(self):
        self.survive_pause(TIMEOUT + 2, self.wake_all)

    def test_the_master_may_wake_up_first_after_a_short_pause(self):
        self.survive_pause(2 * TIMEOUT, self.wake_master_first)

    def test_the_master_may_wake_up_first_after_a_long_pause(self):
        self.survive_pause(TIMEOUT + 2, self.wake_master_first)

    def test_no_limit(self):
        serval = self.start_beating(timeout="0")
        workers = serval.workers()
        os.kill(workers[0], signal.SIGSTOP)
        self.wait_past(1)
        os.kill(workers[0], signal.SIGCONT)
        self.assert_nobody_was_killed(serval, workers)


if __name__ == "__main__":
    unittest.main()
