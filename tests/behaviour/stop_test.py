"""A stop answers what is in flight and what waits in the accept queue, says goodbye to keep-alive connections, and ends."""

import contextlib
import json
import os
import pty
import signal
import socket
import subprocess
import time
import unittest

import process_tree
from http_client import Client, request_bytes, wait_until
from load import Load
from serval_process import SERVAL, ServalTest

STOPPING = r"master .*: stopping signal="
DRAINING = r"worker\[\d\] .*: draining "  # the workers know, too


class Stop(ServalTest):
    def test_requests_in_flight_and_in_the_accept_queue_are_answered(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 2}})
        in_flight = [serval.client() for _ in range(2)]
        for number, client in enumerate(in_flight):
            client.send(request_bytes(target=f"/gate?name={number}"))
        self.wait_entered("0", "1")
        queued = [serval.client() for _ in range(50)]
        for client in queued:
            client.send(request_bytes())
        serval.signal(signal.SIGTERM)
        serval.expect_log(DRAINING)
        self.open_gate("0", "1")
        for client in in_flight + queued:
            response = client.read_response()
            self.assertEqual(response.status, 200)
            self.assertTrue(response.closes, "the last answer of a connection says so")
            self.assertTrue(client.ended())
            client.close()
        self.assertEqual(serval.wait(), 0)
        self.assertIsNone(serval.try_connect(), "after the end connections are refused")
        self.assertEqual(len(serval.access()), 52)

    def test_every_stop_signal_is_graceful(self):
        for number, stop in enumerate((signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)):
            with self.subTest(stop.name):
                if not number:
                    os.mkdir(self.path("gates"))
                serval = self.start("probe", app_args=["gates=" + self.path("gates")])
                with serval.client() as client:
                    client.send(request_bytes(target=f"/gate?name={stop.name}"))
                    self.wait_entered(stop.name)
                    serval.signal(stop)
                    serval.expect_log(STOPPING)
                    self.open_gate(stop.name)
                    self.assertEqual(client.read_response().status, 200)
                self.assertEqual(serval.wait(), 0)

    def test_what_a_stop_waits_for_is_said(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 2}, "shutdown": {"grace": "10m"}})
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=slow"))
            self.wait_entered("slow")
            master, terminal = pty.openpty()
            self.addCleanup(os.close, master)
            stop = subprocess.Popen([SERVAL, "stop", "--socket", self.path("control0.sock")], stderr=terminal)
            os.close(terminal)
            said = "stopping: 1 request in progress, at most 10m; serval stop --now stops at once"
            with open(master, encoding="utf-8", closefd=False) as heard:
                self.assertEqual(heard.readline().strip(), "serval stop: " + said)
            serval.expect_log(r"stopping signal=\"serval stop\" requests=1 at_most=10m next=\"again, or serval stop --now, to stop at once\"")
            self.open_gate("slow")
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual(stop.wait(), 0)
        self.assertEqual(serval.wait(), 0)

    def cut_one(self, *commands):
        """A request in progress, then these commands, each more than a second after the one before; what the last one says."""
        serval = self.start_probe({"workers": {"count": 1, "threads": 2}, "shutdown": {"grace": "10m"}})
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=slow"))
            self.wait_entered("slow")
            heard = None
            for words in commands:
                wait_until(lambda: heard is None or time.monotonic() - heard > 1, "what comes next to be another request")
                asked = self.launch("stop", *words, "--socket", self.path("control0.sock"))
                serval.expect_log(r"stopping signal=")
                heard = time.monotonic()
            self.assertEqual(asked.wait(), 0)
            self.assertEqual(serval.wait(), 0)
        return asked.access()

    def test_a_second_command_says_that_it_has_cut_requests(self):
        self.assertEqual(self.cut_one((), ()), ["it was stopping already; asked for the second time, it stopped at once, 1 request cut"])

    def test_so_does_one_that_was_told_to(self):
        self.assertEqual(self.cut_one(("--now",)), ["stopped at once, 1 request cut"])

    def test_connections_are_refused_while_the_app_is_taken_down(self):
        """All workers have gone; that what the app has preloaded may take its time to go, too, is nothing that a client should wait for."""
        serval = self.start("probe", {"shutdown": {"grace": "10m"}}, app_args=["end_gate=" + self.path("end")])
        serval.signal(signal.SIGTERM)
        self.wait_for_file("end.entered")
        wait_until(lambda: not serval.workers(), "the workers to be gone")
        self.assertIsNone(serval.try_connect())
        self.write("end.open", "")
        self.assertEqual(serval.wait(), 0)

    def test_idle_connections_do_not_delay_it(self):
        serval = self.start(config={"shutdown": {"grace": "10m"}, "request": {"keep_alive": "10m", "header_timeout": "10m"}})
        idle = [serval.client() for _ in range(20)]
        for client in idle:
            self.assertEqual(client.get().status, 200)
        silent = [serval.client() for _ in range(5)]  # have not sent a byte
        serval.signal(signal.SIGTERM)
        for client in idle + silent:
            self.assertTrue(client.ended())
            client.close()
        self.assertEqual(serval.wait(), 0)

    def test_a_request_whose_body_is_under_way_is_finished(self):
        serval = self.start(app="echo")
        with serval.client() as client:
            client.send(request_bytes("POST", headers=[("Expect", "100-continue"), ("Content-Length", "10")]))
            self.assertEqual(client.read_response().status, 100)
            client.send(b"12345")
            serval.signal(signal.SIGTERM)
            serval.expect_log(DRAINING, count=2)
            client.send(b"67890")
            response = client.read_response()
            self.assertEqual(response.status, 200)
            self.assertTrue(response.closes)
        self.assertEqual(serval.wait(), 0)

    def test_a_signal_that_comes_doubled_is_one(self):
        """timeout(1) signals its child and then the child's process group; npm, make and foreman pass on what the terminal has sent already."""
        serval = self.start_probe()
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=closed"))
            self.wait_entered("closed")
            for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
                serval.signal(number)
            serval.expect_log(DRAINING, count=2)
            self.open_gate("closed")
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual(serval.wait(), 0)
        self.assertNotIn("stopping at once", serval.log())

    def test_ctrl_c_is_no_outage(self):
        """It reaches every process, and the workers are the faster ones: nobody forks successors, or alarms anybody."""
        for _ in range(5):
            serval = self.start("hello", {"workers": {"count": 2, "threads": 1}})
            os.killpg(serval.pid, signal.SIGINT)
            self.assertEqual(serval.wait(), 0)
            self.assertNotIn("no worker serves", serval.log())
            self.assertEqual(serval.log().count("worker ready"), 2)

    def test_workers_that_are_signalled_before_the_master_get_no_successors(self):
        """As a service manager does it, one process after another; the master is the last one here."""
        serval = self.start("hello", {"workers": {"count": 2, "threads": 1}})
        os.kill(serval.pid, signal.SIGSTOP)  # it hears of all at once: how long this takes is not what is tried
        for pid in serval.workers().values():
            os.kill(pid, signal.SIGTERM)
        for pid in serval.workers().values():
            wait_until(lambda pid=pid: process_tree.state(pid) in ("Z", None), f"the end of {pid}")
        os.kill(serval.pid, signal.SIGTERM)
        os.kill(serval.pid, signal.SIGCONT)
        self.assertEqual(serval.wait(), 0)
        self.assertNotIn("no worker serves", serval.log())
        self.assertEqual(serval.log().count("worker ready"), 2)

    def test_a_worker_that_is_ending_does_not_die_of_the_next_signal(self):
        """Signals to the whole group, over and over, until nobody is left: each worker ends as it was asked to."""
        for _ in range(8):
            serval = self.start("hello", {"workers": {"count": 6, "threads": 1}})

            def ended_by_another():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(serval.pid, signal.SIGTERM)
                return serval.process.poll() is not None

            wait_until(ended_by_another, "the end of all")
            self.assertNotIn("worker died while it drained", serval.log())

    def test_a_second_signal_stops_at_once(self):
        serval = self.start_probe({"shutdown": {"grace": "10m"}})
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=closed"))
            self.wait_entered("closed")
            serval.signal(signal.SIGTERM)
            serval.expect_log(STOPPING)
            serval.stop_at_once()
            self.assertEqual(serval.wait(), 0)
            wait_until(lambda: not process_tree.descendants(serval.pid), "the end of all processes")

    def test_what_outlives_the_grace_is_killed_and_named(self):
        serval = self.start_probe({"shutdown": {"grace": "500ms"}})
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=closed"))
            self.wait_entered("closed")
            serval.signal(signal.SIGTERM)
            self.assertEqual(serval.wait(), 0)
        self.assertRegex(serval.log(), r"warning .*grace.*")

    def test_a_booting_server_can_be_stopped(self):
        for moment in ("starting version=", "listening address=", "control socket "):
            with self.subTest(moment):
                serval = self.launch_config("faulty", app_args=["preload=slow:60000"])
                serval.expect_log(moment)
                serval.signal(signal.SIGTERM)
                self.assertEqual(serval.wait(), 0)

    def test_nothing_is_lost_by_clients_that_go_on_sending(self):
        """Clients that send request after request over keep-alive connections: every answer is whole, and only the last one closes."""
        serval = self.start(config={"workers": {"count": 2, "threads": 2}})
        clients = [serval.client() for _ in range(8)]
        for client in clients:
            self.assertEqual(client.get().status, 200)
        serval.signal(signal.SIGTERM)
        for client in clients:
            try:
                response = client.get()
                self.assertEqual(response.status, 200)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it was closed as idle before the request left
            except Exception as error:
                self.assertEqual(getattr(error, "got", None), b"", "an answer was cut")
            client.close()
        self.assertEqual(serval.wait(), 0)


class Delay(ServalTest):
    """shutdown.delay: requests that still arrive are served."""

    def start_delayed(self, delay="10m"):
        serval = self.start(config={"shutdown": {"delay": delay}})
        serval.signal(signal.SIGTERM)
        serval.expect_log(STOPPING)
        return serval

    def command(self, serval, *words):
        return self.run_command(*words, "--socket", self.path("control0.sock"))

    def test_new_connections_are_served_until_it_is_over(self):
        serval = self.start(config={"shutdown": {"delay": "1500ms"}})
        with Load(serval, clients=2) as load:
            load.wait_for(20)
            serval.signal(signal.SIGTERM)
            serval.expect_log(STOPPING)
            self.assertEqual(serval.get().status, 200)
            load.wait_for(50)
            self.assertEqual(load.failures, [])
            self.assertNotIn("draining", serval.log())
        self.assertEqual(serval.wait(), 0)

    def test_status_says_that_it_is_not_ready(self):
        serval = self.start_delayed()
        code, out, _ = self.command(serval, "status", "--json")
        self.assertEqual(code, 0)
        status = json.loads(out)
        self.assertEqual((status["state"], status["ready"], status["unready"]), ("stopping", False, "stopping"))
        self.assertEqual(self.command(serval, "stop", "--now")[0], 0)
        self.assertEqual(serval.wait(), 0)

    def test_dead_workers_are_replaced_and_what_changes_the_server_is_refused(self):
        serval = self.start_delayed()
        victim = serval.workers()[0]
        serval.signal(signal.SIGKILL, victim)
        serval.expect_log(r"worker ready slot=0", count=2)
        self.assertEqual(serval.get().status, 200)
        for words in (("reload",), ("scale", "3")):
            code, _, error = self.command(serval, *words)
            self.assertEqual(code, 1, words)
            self.assertIn("stopping", error)
        serval.stop_at_once()
        self.assertEqual(serval.wait(), 0)


class UnixSocket(ServalTest):
    def start_unix(self, launch=False):
        return (self.launch_config if launch else self.start)(config={"server": {"bind": ["unix:" + self.path("app.sock")]}})

    def test_the_file_is_removed(self):
        serval = self.start_unix()
        self.assertEqual(serval.get().status, 200)
        self.assertEqual(serval.stop(), 0)
        self.assertFalse(os.path.exists(self.path("app.sock")))

    def test_requests_in_flight_and_queued_are_answered(self):
        os.mkdir(self.path("gates"))
        serval = self.start("probe", {"server": {"bind": ["unix:" + self.path("app.sock")]}, "workers": {"count": 1, "threads": 1}},
                            app_args=["gates=" + self.path("gates")])
        clients = [serval.client() for _ in range(10)]
        clients[0].send(request_bytes(target="/gate?name=a"))
        self.wait_entered("a")
        for client in clients[1:]:
            client.send(request_bytes())
        serval.signal(signal.SIGTERM)
        serval.expect_log(STOPPING)
        self.open_gate("a")
        self.assertEqual([client.read_response().status for client in clients], [200] * 10)
        self.assertEqual(serval.wait(), 0)
        self.assertIsNone(serval.try_connect())
        for client in clients:
            client.close()

    def test_a_stale_one_is_replaced(self):
        with socket.socket(socket.AF_UNIX) as old:
            old.bind(self.path("app.sock"))
            old.listen()
        self.assertEqual(self.start_unix().get().status, 200)

    def test_a_live_one_is_refused_and_left_alone(self):
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(self.path("app.sock"))
            other.listen()
            serval = self.start_unix(launch=True)
            self.assertEqual(serval.wait(), 73)
            self.assertIn(self.path("app.sock"), serval.log())
            Client(self.path("app.sock")).close()

    def test_a_path_that_is_no_socket_is_refused_and_left_alone(self):
        self.write("app.sock", "precious")
        serval = self.start_unix(launch=True)
        self.assertEqual(serval.wait(), 73)
        with open(self.path("app.sock")) as file:
            self.assertEqual(file.read(), "precious")

    def test_the_umask_rules_its_mode(self):
        self.start(config={"server": {"bind": ["unix:" + self.path("app.sock")], "umask": "0027"}})
        self.assertEqual(os.stat(self.path("app.sock")).st_mode & 0o777, 0o660)


if __name__ == "__main__":
    unittest.main()
