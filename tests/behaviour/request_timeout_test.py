"""A request that overstays [request] timeout: its client gets 504, the log names it and where it is stuck, its siblings finish, and its worker is
replaced by one that serves before it leaves."""

import os
import re
import time
import unittest

import process_tree
from http_client import Closed, request_bytes, wait_until
from load import Load
from scoreboard import Scoreboard, Watch
from serval_process import ServalTest, at_once

TIMEOUT = 0.5


class Timeout(ServalTest):
    def start_with_timeout(self, timeout="500ms", **workers):
        return self.start_probe({"workers": {"count": 1, "threads": 2, **workers}, "request": {"timeout": timeout}})

    def open_client(self, serval):
        client = serval.client()
        self.addCleanup(client.close)
        return client

    # The client

    def test_504_and_a_line_that_names_the_request(self):
        serval = self.start_with_timeout()
        with serval.client() as client:
            client.send(request_bytes("PUT", "/gate?name=stuck"))
            response = client.read_response("PUT")
            self.assertEqual(response.status, 504)
            self.assertTrue(response.closes)
            self.assertTrue(client.ended())
        serval.expect_log(r"warning +master .*request timed out method=PUT target=\S*/gate\?name=stuck.* slot=0 .* stack=\"?\S")
        serval.expect_access(r'"PUT /gate\?name=stuck HTTP/1\.1" 504 .*\btimeout\b')
        self.open_gate("stuck")

    def test_siblings_finish(self):
        serval = self.start_with_timeout("1s")
        with serval.client() as stuck:
            stuck.send(request_bytes(target="/gate?name=stuck"))
            self.wait_entered("stuck")
            with serval.client() as sibling:
                sibling.send(request_bytes(target="/gate?name=sibling"))
                self.wait_entered("sibling")
                self.open_gate("sibling")
                self.assertEqual(sibling.read_response().status, 200)
            self.assertEqual(stuck.read_response().status, 504)
        self.open_gate("stuck")
        self.assertEqual(serval.get().status, 200)

    def test_a_sibling_that_is_in_time_finishes_in_the_worker_that_drains(self):
        serval = self.start_with_timeout()
        stuck, sibling = self.open_client(serval), self.open_client(serval)
        stuck.send(request_bytes(target="/gate?name=stuck"))
        self.wait_entered("stuck")
        sibling.send(request_bytes(target="/extend?name=sibling&ms=60000"))
        self.wait_entered("sibling")
        self.assertEqual(stuck.read_response().status, 504)
        serval.expect_log(r"worker\[0\] .*: draining ")
        self.open_gate("sibling")
        response = sibling.read_response()
        self.assertEqual((response.status, response.closes), (200, False), "its connection goes on elsewhere")
        self.assertEqual(sibling.get("/").status, 200)
        self.open_gate("stuck")

    def test_the_late_answer_goes_nowhere(self):
        serval = self.start_with_timeout("300ms", threads=1)
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=late"))
            self.assertEqual(client.read_response().status, 504)
            self.open_gate("late")
            self.assertEqual(client.read_to_end(), b"")
        self.assertEqual(serval.get().status, 200)
        serval.expect_access(r"GET / ")
        self.assertEqual(len(serval.access()), 2)

    def test_no_limit(self):
        serval = self.start_with_timeout("0")
        self.assertEqual(serval.get("/deadline").text, "none\n")
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=a"))
            self.wait_entered("a")
            self.open_gate("a")
            self.assertEqual(client.read_response().status, 200)

    def test_waiting_for_a_thread_is_not_the_apps_time(self):
        """Six requests of 300 ms each, one after the other on the only thread: the last one waits for longer than the timeout."""
        serval = self.start("faulty", {"workers": {"count": 1, "threads": 1}, "request": {"timeout": "1s"}})
        answers = at_once([lambda: serval.get("/sleep?ms=300")] * 6)
        self.assertEqual([answer.status for answer in answers], [200] * 6)
        lines = serval.expect_access(r"/sleep", count=6)
        waits = [int(re.search(r"queue_wait_us=(\d+)", line)[1]) for line in lines]
        self.assertGreater(max(waits), 1_000_000, lines)
        self.assertNotIn("timed out", serval.log())

    # The app

    def test_the_app_is_told_its_deadline_and_may_extend_it(self):
        serval = self.start_with_timeout("500ms")
        self.assertLessEqual(int(serval.get("/deadline").text), 500)
        with serval.client() as client:
            began = time.monotonic()
            client.send(request_bytes(target="/extend?name=a&ms=60000"))
            self.wait_entered("a")
            wait_until(lambda: time.monotonic() > began + 3 * TIMEOUT, "the time that it would not have had")
            self.open_gate("a")
            self.assertEqual(client.read_response().status, 200)
        self.assertNotIn("timed out", serval.log())

    def test_an_extended_deadline_is_a_deadline(self):
        serval = self.start_with_timeout("300ms")
        with serval.client() as client:
            began = time.monotonic()
            client.send(request_bytes(target="/extend?name=a&ms=1000"))
            self.assertEqual(client.read_response().status, 504)
            self.assertGreaterEqual(time.monotonic() - began, 1.0)
        serval.expect_log(r"request timed out .*target=\S*/extend")
        self.open_gate("a")

    def test_a_handler_sees_that_nobody_waits_any_more(self):
        serval = self.start_with_timeout("300ms")
        with serval.client() as client:
            client.send(request_bytes(target="/cancelled?name=a"))
            self.assertEqual(client.read_response().status, 504)
        self.wait_for_file("gates/a.cancelled")
        with open(self.path("gates/a.cancelled")) as file:
            wait_until(lambda: (file.seek(0), file.read())[1] == "too late\n", "the handler's word that it got no more time")
        serval.expect_log(r"request timed out .*target=\S*/cancelled")

    def test_a_handler_that_returns_when_it_is_told_to_keeps_its_worker(self):
        serval = self.start_with_timeout("300ms")
        workers = serval.workers()
        with serval.client() as idle:
            self.assertEqual(idle.get().status, 200)
            with serval.client() as client:
                client.send(request_bytes(target="/cancelled?name=a"))
                self.assertEqual(client.read_response().status, 504)
            end = time.monotonic() + 1.5
            wait_until(lambda: time.monotonic() > end, "the end of the second that it has")
            self.assertEqual(idle.get().status, 200)
        serval.expect_log(r"request timed out .*target=\S*/cancelled")
        self.assertEqual(serval.workers(), workers)
        self.assertNotIn("replacing worker", serval.log())

    # The worker

    def test_one_stuck_thread_costs_nobody_else_anything(self):
        """Its worker is replaced by one that serves before it drains: capacity never dips."""
        serval = self.start("faulty", {"workers": {"count": 1, "threads": 5}, "request": {"timeout": "500ms"}})
        old = serval.workers()[0]
        with Load(serval, clients=4) as load, Watch(serval) as watch:
            load.wait_for(100)
            began = time.monotonic()
            self.assertEqual(serval.get("/sleep?ms=20000").status, 504)
            took = time.monotonic() - began
            serval.expect_log(rf"worker stopped slot=0 worker_pid={old} .*cause=request_timeout next=\"its successor is there\"")
            load.wait_for(100)
        self.assertGreaterEqual(took, TIMEOUT)
        self.assertLess(took, 10, "the client waited for the handler")
        self.assertEqual(load.failures, [])
        self.assertGreaterEqual(watch.fewest_serving, 1, "the old one drained before the new one served")
        line = serval.expect_log(r"warning +master .*request timed out method=GET target=\S*/sleep\?ms=20000.*")[0]
        self.assertRegex(line, rf"request_id=\w+ peer=127\.0\.0\.1 age_ms=\d+ slot=0 worker_pid={old} thread=\d+ stack=")
        self.assertRegex(line, r"nanosleep.*sleep_for.*sleep\(serval::Request const&\).*Faulty::handle")
        self.assertRegex(serval.log(), r"worker\[0\] .*: draining why=asked")
        self.assertEqual(len(re.findall(r"worker ready", serval.log())), 2)
        serval.expect_access(r'"GET /sleep\?ms=20000 HTTP/1\.1" 504 ')

    def test_a_stuck_thread_is_given_up_once_nothing_else_goes_on(self):
        """Long before the grace: there is nobody left to wait for."""
        serval = self.start("faulty", {"workers": {"count": 1, "threads": 2}, "request": {"timeout": "300ms"}, "shutdown": {"grace": "10m"}})
        old = serval.workers()[0]
        self.assertEqual(serval.get("/deadlock").status, 504)
        serval.expect_log(r"warning .*worker has handlers that do not return, aborting it slot=0 .*cause=request_timeout")
        serval.expect_log(r"worker stopped slot=0 .*signal=SIGABRT .*cause=request_timeout")
        wait_until(lambda: not process_tree.alive(old), "the old worker's end")
        if "SERVAL_SANITIZED" not in os.environ:  # ThreadSanitizer keeps signals from threads that wait for a lock
            self.assertRegex(serval.log(), r"request timed out .*stack=.*pthread_mutex_lock.*deadlock\(serval::Request const&\)")
        self.assertNotRegex(serval.log(), r"worker crashed|worker died|request lost", "it was aborted on purpose, and its request has been answered")

    def test_all_threads_stuck_at_once(self):
        serval = self.start_probe({"workers": {"count": 5, "threads": 5}, "request": {"timeout": "3s"}})
        old = set(serval.workers().values())
        clients = []
        for number in range(25):  # each finds a worker that has a thread free
            clients.append(client := self.open_client(serval))
            client.send(request_bytes(target=f"/gate?name={number}"))
            self.wait_entered(str(number))
        self.assertEqual([client.read_response().status for client in clients], [504] * 25)
        serval.expect_log(r"worker stopped .*signal=SIGABRT .*cause=request_timeout", count=5)
        self.assertEqual(serval.get().status, 200)
        lines = serval.expect_access(r'" 504 ', count=25)
        for number in range(25):
            self.assertEqual(sum(f"/gate?name={number} " in line for line in lines), 1, lines)
        self.assertEqual(len(re.findall(r"request timed out", serval.log())), 25)
        self.assertEqual(len(re.findall(r"worker ready", serval.log())), 10)
        with Scoreboard(serval.pid) as board:
            self.assertEqual(len(board.serving()), 5)
            self.assertFalse(old & {slot.pid for slot in board.workers()})

    def test_requests_that_wait_behind_stuck_threads_are_answered(self):
        """Nobody will ever have time for them here: they need not wait for the end of the grace to learn that."""
        serval = self.start_probe({"workers": {"count": 1, "threads": 2}, "request": {"timeout": "1s"}, "shutdown": {"grace": "5s"}})
        stuck = [self.open_client(serval) for _ in range(2)]
        waiting = [self.open_client(serval) for _ in range(3)]
        for client in stuck + waiting:
            self.assertEqual(client.get().status, 200)
        for number, client in enumerate(stuck):
            client.send(request_bytes(target=f"/gate?name={number}"))
            self.wait_entered(str(number))
        for client in waiting:
            client.send(request_bytes())
        self.assertEqual([client.read_response().status for client in stuck], [504] * 2)
        for client in waiting:
            try:
                self.assertIn(client.read_response().status, (200, 503, 504))
            except (Closed, ConnectionResetError) as error:
                self.fail(f"a request that was accepted got no answer: {error}")


if __name__ == "__main__":
    unittest.main()
