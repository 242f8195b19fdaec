"""An app may close or replace any descriptor, and take all there are: serval notices, says so, and another worker serves."""

import os
import re
import resource
import signal
import time
import unittest

import process_tree
from http_client import Closed, wait_until
from serval_process import ServalTest

LOST = r"error .*worker\[\d\] .*a descriptor of serval's is not what it was.* which="
QUICK = {"restart": {"backoff_first": "1ms", "backoff_max": "10ms"}}
OWN = 896  # serval's own sit from here on, where the limit is 1024 or more


def limits(soft, hard):
    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))}


def only(serval):
    """The pid of the one worker."""
    (pid,) = serval.workers().values()
    return pid


UNDEFINED = "undefined" in os.environ.get("SERVAL_SANITIZED", "")
NEEDS_A_PIPE = "UndefinedBehaviorSanitizer reads an object's type through a pipe, and takes the want of one for a wrong type"


class TouchedDescriptors(ServalTest):
    BASE = ServalTest.BASE | QUICK | {"workers": {"count": 1, "threads": 2}}

    def serve(self, *args, **options):
        return self.start("descriptors", app_args=list(args), popen=limits(1024, 8192), **options)

    def own(self, pid):
        """{number: what it is} of the worker's descriptors that are serval's."""
        folder = f"/proc/{pid}/fd"
        return {int(fd): os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder) if int(fd) >= OWN}

    def ask(self, serval, target):
        """It may cost the worker its life."""
        try:
            return serval.get(target).status
        except (Closed, ConnectionResetError):
            return None

    def wait_for_another(self, serval, worker):
        # The process, not its place in `workers`, which its successor takes while it drains.
        wait_until(lambda: not process_tree.alive(worker), "the end of the worker")
        wait_until(lambda: set(serval.workers().values()) - {worker}, "another worker")
        wait_until(lambda: self.ask(serval, "/") == 200, "an answer of another worker")

    def test_standard_ones_that_the_app_closes_while_it_loads(self):
        for where in "preload=1,2", "preload=0,1,2", "worker_start=0,1,2":
            with self.subTest(where):
                serval = self.serve(where)
                with serval.client() as client:
                    for _ in range(3):  # what it prints goes to nobody's connection
                        self.assertEqual(client.get("/print").text, "served\n")
                self.assertEqual(serval.stop(), 0)

    def test_serval_s_own_that_the_app_closes_while_it_loads_refuse_it(self):
        serval = self.launch_config("descriptors", app_args=["preload=all"], popen=limits(1024, 8192))
        serval.expect_log("the app has closed a descriptor of serval's: ")
        self.assertEqual(serval.wait(), 1)

    def test_each_that_a_handler_closes_or_replaces(self):
        serval = self.serve()
        numbers = sorted(self.own(only(serval)))
        self.assertGreater(len(numbers), 8)
        noticed = 0
        for how in "close", "replace":
            for number in numbers:
                worker = only(serval)
                what = self.own(worker).get(number)
                if what is None or not what.startswith(("socket:", "anon_inode:[event")):
                    continue  # what others are for is a matter of course, or of the log
                with self.subTest(how, number=number, what=what):
                    self.ask(serval, f"/{how}?fd={number}")
                    noticed += 1
                    serval.expect_log(LOST, count=noticed)
                    self.wait_for_another(serval, worker)
        self.assertGreater(noticed, 10)
        self.assertEqual(serval.stop(), 0)

    def test_a_listener_that_is_lost_is_named_and_the_successor_comes_first(self):
        serval = self.serve()
        worker = only(serval)
        port = serval.addresses[0][1]
        with open("/proc/net/tcp", encoding="utf-8") as table:
            inode = next(line.split()[9] for line in table if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A")
        number = next(fd for fd, what in self.own(worker).items() if what == f"socket:[{inode}]")
        with serval.client() as client:
            self.assertEqual(client.get(f"/replace?fd={number}").status, 200)
            serval.expect_log(rf'{LOST}"listener 127.0.0.1:\d+" fd={number} now="another file" how="it drains"')
            serval.expect_log(r'warning .*worker asks for a successor slot=0 .*why="the app has touched a descriptor of serval')
            serval.expect_log(r"replacing worker .*cause=unfit")
            serval.expect_log(rf"worker stopped .*worker_pid={worker} .*exit_code=0 .*cause=unfit")
        self.assertEqual(serval.get().status, 200)

    def test_all_at_once(self):
        serval = self.serve()
        worker = only(serval)
        with serval.client() as waiting:  # its connection goes as well, and is told of
            waiting.send(b"GET / HTTP/1.1\r\n")
            self.assertIsNone(self.ask(serval, "/close_all"))
            # The log is among what the app has closed: the master says it.
            serval.expect_log(rf"error .*worker died slot=0 worker_pid={worker} .*exit_code=74 .*connections_lost=[12] cause=unfit "
                              r'why="the app has closed a descriptor of serval')
        self.wait_for_another(serval, worker)
        self.assertNotIn("cause=crash", serval.log())

    def test_all_at_once_by_a_worker_that_starts(self):
        serval = self.launch_config("descriptors", app_args=["worker_start=all"], popen=limits(1024, 8192))
        serval.expect_log(r"worker died slot=0 .*exit_code=74 cause=boot_failed why=\"the app has closed a descriptor of serval")
        self.assertEqual(serval.wait(), 1)

    def test_the_event_loop_or_the_channel_is_no_crash(self):
        serval = self.serve()
        for what, how in (("anon_inode:[eventpoll]", "at once"), ("pipe:", "it drains")):
            worker = only(serval)
            with self.subTest(what):
                number = self.reports_pipe(serval, worker) if what == "pipe:" else next(
                    fd for fd, kind in self.own(worker).items() if kind == what)
                self.ask(serval, f"/close?fd={number}")
                serval.expect_log(rf'{LOST}.* how="{how}"')
                serval.expect_log(rf"worker_pid={worker} .*cause=unfit")
                self.wait_for_another(serval, worker)
        self.assertNotIn("cause=crash", serval.log())

    def reports_pipe(self, serval, worker):
        """The worker's end of the pipe that the master reads, as serval's own and of the two alone."""
        masters = {os.readlink(f"/proc/{serval.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{serval.pid}/fd")}
        mold = {os.readlink(f"/proc/{serval.mold()}/fd/{fd}") for fd in os.listdir(f"/proc/{serval.mold()}/fd")}
        return next(fd for fd, what in self.own(worker).items() if what.startswith("pipe:") and what in masters - mold)


class WantOfDescriptors(ServalTest):
    BASE = ServalTest.BASE | QUICK | {"workers": {"count": 1, "threads": 2}}

    def idle(self, serval, count):
        """Connections that have had an answer each, in this order."""
        clients = []
        for _ in range(count):
            clients.append(serval.client())
            self.addCleanup(clients[-1].close)
            self.assertEqual(clients[-1].get().status, 200)
        return clients

    def test_the_limit_is_raised_to_the_hard_one(self):
        serval = self.start("hello", popen=limits(100, 8192))
        serval.expect_log(r"starting .* open_files=8192")
        clients = self.idle(serval, 200)
        self.assertEqual(serval.get().status, 200)
        self.assertTrue(all(client.still_open() for client in clients))
        self.assertNotIn("make room", serval.log())

    def test_idle_connections_make_room_for_newcomers(self):
        serval = self.start("hello", popen=limits(100, 100))
        clients = self.idle(serval, 200)
        serval.expect_log(r"warning .*idle connections are closed to make room: raise the limit of open files closed=\d+ connections=\d+ limit=100")
        self.assertEqual(serval.get().status, 200)
        self.assertTrue(clients[-1].still_open(), "the one that was active last")
        self.assertTrue(clients[0].ended(), "the one that has been idle for the longest")
        self.assertLess(serval.log().count("to make room"), 4, "once in some seconds")

    def test_each_connection_that_was_closed_for_room_is_counted(self):
        serval = self.start("hello", popen=limits(100, 100))
        clients = self.idle(serval, 200)
        closed = sum(not client.still_open() for client in clients)
        self.assertGreater(closed, 100)
        self.assertEqual(serval.stop(), 0)  # at the end at the latest it says what it has summed up
        counted = re.findall(r"to make room: .* closed=(\d+)", serval.log())
        self.assertEqual(sum(map(int, counted)), closed)

    @unittest.skipIf(UNDEFINED, NEEDS_A_PIPE)
    def test_a_worker_that_has_none_left_is_replaced(self):
        serval = self.start("descriptors", {"request": {"header_timeout": "60s"}}, popen=limits(100, 100))
        worker = only(serval)
        self.assertEqual(serval.get("/hog").status, 200)
        with serval.client() as one_more:  # the hog's own descriptor is free again
            one_more.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\nGET / HTTP/1.1\r\n")
            self.assertEqual(one_more.read_response().status, 200)  # and it is not idle
            with serval.client() as waiting:
                waiting.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
                serval.expect_log(r"worker asks for a successor .*no descriptor is left for connections, of 100")
                self.assertEqual(waiting.read_response().status, 200)
        wait_until(lambda: not process_tree.alive(worker), "the end of the worker")

    @unittest.skipIf(UNDEFINED, NEEDS_A_PIPE)
    def test_a_stop_without_descriptors_does_not_wait_for_its_grace(self):
        serval = self.start("descriptors", popen=limits(100, 100))
        self.assertEqual(serval.get("/hog").status, 200)
        with serval.client() as busy:
            busy.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\nGET / HTTP/1.1\r\n")
            self.assertEqual(busy.read_response().status, 200)
            with serval.client() as waiting:
                waiting.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
                begin = time.monotonic()
                serval.signal(signal.SIGTERM)
                self.assertEqual(waiting.read_response().status, 200)
                self.assertEqual(serval.wait(), 0)
        self.assertLess(time.monotonic() - begin, 15, "the grace is 30 s")


class TooFew(ServalTest):
    """A limit below which no server can be run is an error that names it, and the least that is enough is enough."""

    FEWEST = 58  # of two workers and one listener: master/open_files.hpp

    def test_the_limit_and_what_is_needed_are_named(self):
        for limit in (20, 30, self.FEWEST - 1):
            serval = self.launch_config(popen=limits(limit, limit))
            self.assertEqual(serval.wait(), 73, limit)
            self.assertRegex(serval.log(), rf"RLIMIT_NOFILE\) is {limit}, and a server with 2 workers needs {self.FEWEST}\b")
            self.assertNotIn("listening", serval.log())

    def test_the_least_is_enough_to_serve_and_to_reload(self):
        serval = self.start(popen=limits(self.FEWEST, self.FEWEST))
        self.assertEqual(serval.get().status, 200)
        code, _, err = self.run_command("reload", "-c", self.path("serval0.toml"))
        self.assertEqual(code, 0, err)
        self.assertNotRegex(serval.log(), " (warning|error) ")

    def test_commands_name_it_too(self):
        self.start()
        check = self.launch("check", "-c", self.path("serval0.toml"), popen=limits(7, 7))
        self.assertEqual(check.wait(), 78)
        self.assertRegex(check.log(), r"Too many open files \(the limit of this process, RLIMIT_NOFILE or ulimit -n, is 7\)")
        self.assertEqual(self.launch("status", "-c", self.path("serval0.toml"), popen=limits(7, 7)).wait(), 0)  # it needs no more
