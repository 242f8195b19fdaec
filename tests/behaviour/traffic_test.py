"""`serval drain` and `undrain`: whether new traffic is wanted. `serval pause` and `resume`: whether requests begin; nobody loses one by it."""

import os
import signal
import time
import unittest

from http_client import request_bytes, wait_until
from load import Load
from orders import Orders
from scoreboard import Scoreboard


class Drain(Orders):
    def test_a_drained_server_is_not_ready_and_serves(self):
        serval = self.start()
        self.assertIs(self.status()["ready"], True)
        for _ in range(2):  # saying it again changes nothing
            self.order("drain")
            self.assertEqual((self.status()["ready"], self.status()["unready"]), (False, "draining (serval drain)"))
            self.assertIn("not ready: draining (serval drain)", self.order("status").splitlines())
            self.assertEqual(serval.get().status, 200)
        for _ in range(2):
            self.order("undrain")
            self.assertEqual((self.status()["ready"], self.status()["unready"]), (True, None))
        self.assertNotIn("not ready", self.order("status"))
        self.assertEqual(serval.log().count(' by="serval drain"'), 1)
        self.assertEqual(serval.log().count(' by="serval undrain"'), 1)

    def test_a_reload_does_not_end_a_drain(self):
        self.start()
        self.order("drain")
        self.order("reload")
        self.assertEqual(self.status()["unready"], "draining (serval drain)")
        self.order("undrain")
        self.assertIs(self.status()["ready"], True)

    def test_a_server_that_stops_takes_no_such_orders(self):
        serval = self.start_probe()
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=a"))
            self.wait_entered("a")
            serval.signal(signal.SIGTERM)
            serval.expect_log("stopping signal=TERM")
            for command in ("drain", "undrain", "pause", "resume"):
                self.assertIn("the server is stopping", self.order(command, code=1))
            self.open_gate("a")
            self.assertEqual(client.read_response().status, 200)


class Pause(Orders):
    def open_client(self, serval):
        client = serval.client()
        self.addCleanup(client.close)
        return client

    def ask(self, serval, target="/pid"):
        """A client that has asked over a connection of its own."""
        client = self.open_client(serval)
        client.send(request_bytes(target=target))
        return client

    def keep_alive(self, serval, count):
        """Clients that have had an answer and may ask again."""
        clients = [self.open_client(serval) for _ in range(count)]
        for client in clients:
            self.assertFalse(client.get("/pid").closes)
        return clients

    def wait_held(self, serval, count):
        """Until so many wait in the workers, or more."""
        with Scoreboard(serval.pid) as board:
            wait_until(lambda: sum(slot.waiting for slot in board.workers()) >= count,
                       lambda: f"{count} held requests; there are {board.workers()}")

    def assert_unanswered(self, clients):
        for client in clients:
            client.socket.setblocking(False)
            with self.assertRaises(BlockingIOError):
                client.socket.recv(1)
            client.socket.settimeout(30)

    def requests(self):
        return self.status()["totals"]["requests"]

    def test_what_runs_is_finished_and_what_comes_waits(self):
        serval = self.start_probe()
        kept = self.keep_alive(serval, 3)
        running = self.ask(serval, "/gate?name=running")
        self.wait_entered("running")
        pause = self.launch("pause", "--socket", self.path("control0.sock"))
        serval.expect_log(r'pausing: .* by="serval pause"')
        self.order("stacks")  # who has answered that has read what came before it
        for client in kept:
            client.send(request_bytes(target="/pid"))
        fresh = [self.ask(serval) for _ in range(3)]
        self.wait_held(serval, 3)
        self.assertEqual((self.status()["ready"], self.status()["unready"]), (False, "paused (serval pause)"))
        self.assertIn("not ready: paused (serval pause)", self.order("status").splitlines())
        self.assertIsNone(pause.process.poll(), "it waits for what is in progress")
        self.assertNotIn("paused: no request is in progress", serval.log())
        self.open_gate("running")
        self.assertEqual(running.read_response().status, 200)
        self.assertEqual((pause.wait(), pause.access()), (0, ["paused, no request is in progress"]))
        serval.expect_log("paused: no request is in progress")
        self.order("pause")  # again: it is, so it returns
        self.assert_unanswered(kept + fresh)
        self.order("resume")
        serval.expect_log(r'resumed: .* by="serval resume" paused_ms=\d+')
        for client in kept + fresh:
            self.assertEqual(client.read_response().status, 200)
        self.assertIs(self.status()["ready"], True)
        self.order("resume")
        self.assertEqual(serval.log().count("resumed"), 1)

    def test_under_load_nobody_loses_a_request(self):
        serval = self.start()
        with Load(serval, 4) as kept, Load(serval, 4, fresh=True) as fresh:
            for _ in range(5):
                for load in (kept, fresh):
                    load.wait_for(50)
                self.order("pause")
                before = self.requests()
                for _ in range(3):
                    self.assertEqual(self.requests(), before, "nothing is answered in a pause")
                self.order("resume")
            for load in (kept, fresh):
                load.wait_for(50)
        self.assertEqual(kept.failures + fresh.failures, [])

    def test_a_reload_in_a_pause_loses_nothing_and_does_not_end_it(self):
        serval = self.start()
        with Load(serval, 4) as kept, Load(serval, 4, fresh=True) as fresh:
            for load in (kept, fresh):
                load.wait_for(50)
            self.order("pause")
            self.wait_held(serval, 4)
            self.order("reload")
            wait_until(lambda: all(worker["generation"] == 2 for worker in self.status()["workers"]), "the end of the old workers")
            self.assertEqual([worker["requests"] for worker in self.status()["workers"]], [0, 0], "the new ones begin paused")
            self.assertEqual(self.status()["unready"], "paused (serval pause)")
            self.order("resume")
            for load in (kept, fresh):
                load.wait_for(50)
        self.assertEqual(kept.failures + fresh.failures, [])

    def test_a_stop_answers_all_that_waits(self):
        serval = self.start_probe()
        kept = self.keep_alive(serval, 3)
        self.order("pause")
        for client in kept:
            client.send(request_bytes(target="/pid"))
        waiting = kept + [self.ask(serval) for _ in range(20)]
        self.wait_held(serval, 3)
        serval.signal(signal.SIGTERM)
        for client in waiting:
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual(serval.wait(), 0)

    def test_so_does_a_stop_of_the_whole_process_group(self):
        """As systemd does it with KillMode=control-group: the workers get the signal, too."""
        serval = self.start_probe()
        self.order("pause")
        waiting = [self.ask(serval) for _ in range(20)]
        os.killpg(serval.pid, signal.SIGTERM)
        for client in waiting:
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual(serval.wait(), 0)

    def test_so_do_workers_without_a_master(self):
        serval = self.start_probe()
        self.order("pause")
        waiting = [self.ask(serval) for _ in range(5)]
        serval.signal(signal.SIGKILL)
        for client in waiting:
            self.assertEqual(client.read_response().status, 200)
        serval.wait()

    def test_a_worker_that_takes_the_place_of_a_dead_one_is_paused(self):
        serval = self.start_probe({"workers": {"count": 1}})
        self.order("pause")
        first = serval.workers()[0]
        fresh = self.ask(serval)
        serval.signal(signal.SIGKILL, first)
        serval.expect_log("worker ready slot=0", count=2)
        self.order("pause")
        self.assertEqual(self.status()["workers"][0]["connections"], 0)
        self.assert_unanswered([fresh])
        self.order("resume")
        self.assertEqual(fresh.read_response().text, str(serval.workers()[0]))

    def test_a_worker_that_boots_when_it_begins_is_paused(self):
        os.mkdir(self.path("gates"))
        serval = self.launch_config("probe", {"workers": {"count": 1}}, app_args=["start_gate=" + self.path("gates/start")])
        self.wait_entered("start")
        pause = self.launch("pause", "--socket", self.path("control0.sock"))
        serval.expect_log("pausing: ")
        self.status()  # by now the worker has been told
        fresh = self.ask(serval)
        self.open_gate("start")
        serval.wait_serving()
        self.assertEqual(pause.wait(), 0)
        self.assertEqual(self.status()["workers"][0]["connections"], 0)
        self.assert_unanswered([fresh])
        self.order("resume")
        self.assertEqual(fresh.read_response().status, 200)

    def test_a_worker_that_is_replaced_answers_what_it_holds_and_leaves_the_rest(self):
        serval = self.start_probe({"workers": {"count": 1}})
        [held] = self.keep_alive(serval, 1)
        self.order("pause")
        held.send(request_bytes(target="/pid"))
        self.wait_held(serval, 1)
        fresh = self.ask(serval)
        first = serval.workers()[0]
        self.order("recycle", "all")
        response = held.read_response()
        self.assertEqual((response.text, response.closes), (str(first), False))
        serval.expect_log(rf"worker stopped slot=0 worker_pid={first}")
        self.assertEqual([worker["connections"] for worker in self.status()["workers"]], [1], "the one that has moved")
        self.assert_unanswered([fresh])
        self.order("resume")
        self.assertEqual(fresh.read_response().text, str(serval.workers()[0]))

    def test_more_than_the_queue_takes_are_not_refused(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 1, "queue": 1}})
        kept = self.keep_alive(serval, 12)
        self.order("pause")
        for client in kept:
            client.send(request_bytes(target="/pid") * 2)
        self.wait_held(serval, 12)
        self.order("resume")
        for client in kept * 2:
            self.assertEqual(client.read_response().status, 200)

    def test_the_time_of_a_pause_counts_for_no_limit(self):
        limits = {"request": {"timeout": "400ms", "header_timeout": "400ms"}, "workers": {"count": 1, "queue_timeout": "400ms", "heartbeat_timeout": "600ms"}}
        serval = self.start_probe(limits)
        [held] = self.keep_alive(serval, 1)
        began = time.monotonic()
        self.order("pause")
        held.send(request_bytes(target="/deadline"))
        fresh = self.ask(serval, "/deadline")
        self.wait_held(serval, 1)
        wait_until(lambda: time.monotonic() > began + 1.5, "more time than any limit allows")
        self.order("resume")
        for client in (held, fresh):
            response = client.read_response()
            self.assertEqual(response.status, 200)
            self.assertGreater(int(response.text), 0)
        self.assertNotRegex(serval.log(), "hangs|timed out")

    def test_it_stays_when_the_command_does_not_wait_for_its_end(self):
        serval = self.start_probe()
        running = self.ask(serval, "/gate?name=a")
        self.wait_entered("a")
        said = self.order("pause", "--timeout", "200ms", code=69)
        self.assertIn("serval resume", said)
        self.assertEqual(self.status()["unready"], "paused (serval pause)")
        self.order("resume")
        self.assertEqual(self.ask(serval).read_response().status, 200)
        self.open_gate("a")
        self.assertEqual(running.read_response().status, 200)
        self.assertIn("is not a duration", self.order("pause", "--timeout", "soon", code=64))

    def test_who_waits_for_it_hears_that_somebody_has_ended_it(self):
        serval = self.start_probe()
        running = self.ask(serval, "/gate?name=a")
        self.wait_entered("a")
        pause = self.launch("pause", "--socket", self.path("control0.sock"))
        serval.expect_log("pausing: ")
        self.order("resume")
        self.assertEqual(pause.wait(), 1)
        self.assertIn("somebody has ended the pause", pause.log())
        self.open_gate("a")
        self.assertEqual(running.read_response().status, 200)

    def test_clients_that_give_up_do_no_harm(self):
        serval = self.start_probe({"workers": {"count": 1}})
        kept = self.keep_alive(serval, 4)
        self.order("pause")
        for client in kept:
            client.send(request_bytes(target="/pid"))
        self.wait_held(serval, 4)
        for client in kept[:3]:
            client.close()
        self.order("resume")
        self.assertEqual(kept[3].read_response().status, 200)
        self.assertEqual(serval.get("/pid").status, 200)


if __name__ == "__main__":
    unittest.main()
