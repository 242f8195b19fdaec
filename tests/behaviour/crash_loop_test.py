"""The app crashes over and over, when its workers start or at requests: forks and log lines stay bounded, the crashes are named, and once its library
has been replaced by a good one on disk the server recovers by itself."""

import os
import shutil
import threading
import time
import unittest

from http_client import Closed, request_bytes, wait_until
from serval_process import ServalTest, library

# Without a backoff that matters: only the limit of forks holds. It is a burst of 2 x workers + 20, then 20 a second (src/supervisor/supervisor.cpp).
QUICK = {"restart": {"backoff_first": "1ms", "backoff_max": "1ms"}, "workers": {"count": 2, "threads": 2}}
FORKS_A_SECOND = 20
BURST = 2 * 2 + FORKS_A_SECOND


class CrashLoop(ServalTest):
    def start_replaceable(self, app="probe", config=None, **options):
        """The library is a copy of its own, so that it can be replaced."""
        shutil.copy(library(app), self.path("libapp.so"))
        return self.start(self.path("libapp.so"), config or QUICK, **options)

    def replace_library(self, app="hello"):
        """As a deployment does it: the new file takes the old one's name in one step."""
        shutil.copy(library(app), self.path("libapp.so.new"))
        os.rename(self.path("libapp.so.new"), self.path("libapp.so"))

    def count_lines(self, name):
        try:
            with open(self.path(name), encoding="utf-8") as file:
                return sum(1 for _ in file)
        except FileNotFoundError:
            return 0

    def get_status(self, serval, target):
        """None if the worker died of it, or if there is none that would answer."""
        try:
            with serval.client(deadline=2) as client:
                client.send(request_bytes(target=target))
                return client.read_response().status
        except (Closed, ConnectionResetError, BrokenPipeError, TimeoutError):
            return None

    def wait_for_hello(self, serval):
        """Until every worker is of the new library; one of the old may be alive, and is replaced."""
        def all_say_hello():
            try:
                return all(serval.get().text == "Hello, World!\n" for _ in range(10))
            except (Closed, ConnectionResetError):
                return False
        wait_until(all_say_hello, "the new library everywhere")

    def crash_at_requests(self, serval, clients, until):
        """So many clients that ask for crashes all the time, until that many workers have been started."""
        over = threading.Event()

        def client():
            while not over.is_set():
                self.get_status(serval, "/crash")

        threads = [threading.Thread(target=client, daemon=True) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: self.count_lines("starts") >= until, f"{until} starts of workers")
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def assert_bounded(self, serval, began):
        """Read what grows before the clock, so that a pause in between is no excess."""
        starts, lines = self.count_lines("starts"), serval.log().count("\n")
        seconds = time.monotonic() - began
        self.assertLessEqual(starts, BURST + FORKS_A_SECOND * seconds + 1)
        # Per crash: the worker's start, its stack, its request, its end; what says the same is folded after a burst.
        self.assertLessEqual(lines, 8 * BURST + 2 * FORKS_A_SECOND * seconds, f"in {seconds:.1f} s, with {starts} starts")

    # What the log says

    def crash_line(self, target, signal, function):
        serval = self.start("faulty", QUICK)
        self.assertIsNone(self.get_status(serval, target))
        died = serval.expect_log(rf"error .*worker died slot=(\d+) worker_pid=(\d+) .*signal={signal} .*requests_lost=1 .*cause=crash")
        serval.expect_log(rf"warning .*worker crashed slot={died[1]} worker_pid={died[2]} signal={signal} .*stack=.*{function}")
        serval.expect_log(rf"warning .*request lost with its worker slot={died[1]} worker_pid={died[2]} method=GET target={target} request_id=\w+ age_ms=\d+")
        serval.expect_log(r"worker ready", count=3)

    def test_a_segmentation_fault_is_named(self):
        self.crash_line("/crash", "SIGSEGV", r"crash_now\(serval::Request const&\)")

    def test_an_abort_is_named(self):
        self.crash_line("/abort", "SIGABRT", r"abort_now\(serval::Request const&\)")

    def test_all_requests_of_the_worker_are_named(self):
        os.mkdir(self.path("gates"))
        serval = self.start("probe", {**QUICK, "workers": {"count": 1, "threads": 2}}, app_args=["gates=" + self.path("gates")])
        with serval.client() as sibling:
            sibling.send(request_bytes(target="/gate?name=sibling"))
            self.wait_entered("sibling")
            self.assertIsNone(self.get_status(serval, "/crash"))
            serval.expect_log(r"request lost with its worker slot=0 .*target=\"?/gate\?name=sibling")
            serval.expect_log(r"request lost with its worker slot=0 .*target=\"?/crash")
            serval.expect_log(r"worker died slot=0 .*requests_lost=2")

    # Bounds and recovery

    def test_at_boot_after_a_first_good_boot(self):
        serval = self.start_replaceable(app_args=["start_log=" + self.path("starts"), "start_crash=" + self.path("bad")])
        self.write("bad", "")
        began = time.monotonic()
        for pid in serval.workers().values():
            os.kill(pid, 9)
        wait_until(lambda: self.count_lines("starts") >= BURST + 2 * FORKS_A_SECOND, "a crash loop")
        self.assert_bounded(serval, began)
        serval.expect_log(r"error .*worker died .*signal=SIGABRT .*cause=boot_failed")
        self.assertIsNone(serval.process.poll())
        self.replace_library()
        serval.expect_log(r"warning .*the app crashes over and over, and its library has changed on disk: loading it anew gen=2")
        serval.expect_log(r"app loaded gen=2")
        self.wait_for_hello(serval)

    def test_what_says_the_same_is_folded(self):
        """No sentence passes more often than the burst in each window of 10 s (src/supervisor/log_fold.hpp); the rest is counted in one line."""
        serval = self.start("probe", QUICK, app_args=["start_log=" + self.path("starts"), "start_crash=" + self.path("bad")])
        self.write("bad", "")
        began = time.monotonic()
        for pid in serval.workers().values():
            os.kill(pid, 9)
        wait_until(lambda: self.count_lines("starts") >= 3 * BURST, "a crash loop")
        log = serval.log()
        windows = 1 + int((time.monotonic() - began) / 10)
        for sentence in ("worker died", "worker crashed", "worker ready"):
            with self.subTest(sentence):  # two causes: killed from outside, and failing to boot
                self.assertLessEqual(log.count(f": {sentence} "), (BURST + 4) * windows)

    def test_it_recovers_without_a_new_library_too(self):
        """What was bad may lie outside of it."""
        serval = self.start_replaceable(app_args=["start_log=" + self.path("starts"), "start_crash=" + self.path("bad")])
        self.write("bad", "")
        for pid in serval.workers().values():
            os.kill(pid, 9)
        wait_until(lambda: self.count_lines("starts") >= 10, "a crash loop")
        os.remove(self.path("bad"))
        self.assertEqual(serval.get("/pid").status, 200)
        self.assertNotIn("gen=2", serval.log())

    def crash_and_recover(self, clients):
        serval = self.start_replaceable(app_args=["start_log=" + self.path("starts")])
        began = time.monotonic()
        self.crash_at_requests(serval, clients, until=BURST + FORKS_A_SECOND)
        self.assert_bounded(serval, began)
        serval.expect_log(r"error .*worker died .*signal=SIGABRT .*cause=crash")
        self.replace_library()

        def recovered():
            return self.get_status(serval, "/crash") == 200  # hello says its sentence everywhere
        wait_until(recovered, "an answer of the new library")
        serval.expect_log(r"its library has changed on disk: loading it anew gen=2")
        self.wait_for_hello(serval)

    def test_at_the_first_request_of_each_worker(self):
        self.crash_and_recover(clients=1)

    def test_at_every_request_of_many_clients(self):
        self.crash_and_recover(clients=6)

    def test_a_mold_that_crashes_over_and_over(self):
        """Its starts are bounded as those of workers are; who serves does not notice."""
        serval = self.start("probe", QUICK, app_args=["preload_log=" + self.path("preloads"), "preload_crash=" + self.path("bad")])
        workers = serval.workers()
        self.write("bad", "")
        began = time.monotonic()
        os.kill(serval.mold(), 9)
        wait_until(lambda: self.count_lines("preloads") >= BURST + FORKS_A_SECOND, "a crash loop")
        starts = self.count_lines("preloads")
        self.assertLessEqual(starts, BURST + FORKS_A_SECOND * (time.monotonic() - began) + 1)
        self.assertEqual(serval.get().status, 200)
        os.remove(self.path("bad"))
        wait_until(lambda: serval.log().count("app loaded") == 2, "a mold that lives")
        self.assertEqual(serval.workers(), workers)

    def test_a_bad_library_in_its_place_is_survived(self):
        """It is tried, does not load, and harms nobody; a good one ends it."""
        serval = self.start_replaceable(app_args=["start_log=" + self.path("starts")])
        self.crash_at_requests(serval, 2, until=10)
        self.replace_library("no_symbol")

        def loaded_anew():
            self.get_status(serval, "/crash")
            return "loading it anew gen=2" in serval.log()
        wait_until(loaded_anew, "the bad library to be tried")
        serval.expect_log(r"error .*reload failed, the old generation goes on gen=1 why=")
        self.replace_library()

        def recovered():
            self.get_status(serval, "/crash")
            return "reloaded gen=" in serval.log()
        wait_until(recovered, "the good library to be loaded")
        self.wait_for_hello(serval)

    def test_a_changed_library_is_left_alone_while_all_is_well(self):
        """Replacing it is the first step of a deployment, not the order to take it."""
        serval = self.start_replaceable()
        self.replace_library()
        dead = serval.workers()[0]
        os.kill(dead, 9)
        serval.expect_log(r"worker ready", count=3)
        self.assertEqual([serval.get().text for _ in range(10)], ["probe\n"] * 10)
        self.assertNotIn("gen=2", serval.log())


if __name__ == "__main__":
    unittest.main()
