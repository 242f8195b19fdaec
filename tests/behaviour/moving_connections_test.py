"""Connections outlive the worker that serves them: idle ones go on in another worker, and their clients do not notice."""

import json
import os
import signal
import unittest

import process_tree
from http_client import request_bytes, wait_until
from load import Load
from serval_process import ServalTest

PROXY_LINE = b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 80\r\n"


class Moving(ServalTest):
    def command(self, *words):
        code, _, err = self.run_command(*words, "-c", self.path("serval0.toml"))
        self.assertEqual(code, 0, err)

    def ask(self, client, target="/generation"):
        """The answer's text; the connection goes on."""
        response = client.get(target)
        self.assertEqual((response.status, response.closes), (200, False))
        return response.text.strip()

    def start_clients(self, serval, count):
        clients = [serval.client() for _ in range(count)]
        for client in clients:
            self.addCleanup(client.close)
        return clients

    def epoll_ghosts(self, pid):
        """What the process still watches though it has closed it: the numbers in its epolls that are no descriptors of its own."""
        folder, watched = f"/proc/{pid}/fdinfo/", set()
        for name in os.listdir(folder):
            with open(folder + name, encoding="ascii") as file:
                watched |= {line.split()[1] for line in file if line.startswith("tfd:")}
        return watched - set(os.listdir(folder))

    def wait_for_successor(self, serval, old):
        wait_until(lambda: serval.workers() and not set(serval.workers().values()) & set(old), "successors, and nobody else")


class Reload(Moving):
    def check_five_reloads(self, serval, clients):
        for generation in range(1, 7):
            self.assertEqual({self.ask(client) for client in clients}, {str(generation)})
            if generation < 6:
                self.command("reload")

    def test_a_connection_outlives_generations(self):
        serval = self.start("faulty")
        self.check_five_reloads(serval, self.start_clients(serval, 8))

    def test_so_does_one_over_a_unix_socket(self):
        serval = self.start("faulty", {"server": {"bind": ["unix:" + self.path("app.sock")]}})
        clients = self.start_clients(serval, 4)
        self.check_five_reloads(serval, clients)
        self.assertEqual({line.split()[0] for line in serval.expect_access("/generation", count=24)}, {"unix"})

    def test_who_speaks_through_a_proxy_is_known_for_good(self):
        serval = self.start("echo", {"request": {"proxy_protocol": True, "trusted_proxies": ["127.0.0.1"]}})
        early, late = self.start_clients(serval, 2)
        early.send(PROXY_LINE)
        for _ in range(3):
            self.assertEqual(json.loads(self.ask(early, "/early"))["peer"], "203.0.113.9")
            self.command("reload")
        late.send(PROXY_LINE)  # nothing has come over it in any generation
        self.assertEqual(json.loads(self.ask(late, "/late"))["peer"], "203.0.113.9")
        self.assertEqual({line.split()[0] for line in serval.expect_access("/(early|late)", count=4)}, {"203.0.113.9"})

    def test_connections_that_have_not_sent_anything_move_too(self):
        serval = self.start("faulty")
        clients = self.start_clients(serval, 8)
        self.command("reload")
        self.assertEqual({self.ask(client) for client in clients}, {"2"})

    def test_more_connections_than_the_lobby_takes_at_a_time(self):
        serval = self.start("faulty", {"workers": {"count": 1, "threads": 1, "queue": 400}})
        clients = self.start_clients(serval, 400)
        for client in clients:
            self.ask(client)
        self.command("reload")
        for client in clients:
            client.send(request_bytes(target="/generation"))
        self.assertEqual({client.read_response().text for client in clients}, {"2\n"})
        self.assertNotRegex(serval.log(), r" (warning|error) ")

    def test_a_request_that_has_begun_is_answered_where_it_began(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 2}})
        old = str(serval.workers()[0])
        with serval.client() as client:
            request = request_bytes(target="/pid")
            client.send(request[:10])
            self.command("reload")
            client.send(request[10:])
            response = client.read_response()
            self.assertEqual((response.text, response.closes), (old, False))
            self.assertNotEqual(self.ask(client, "/pid"), old)

    def test_pipelined_requests_are_answered_in_order(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 2}})
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=first") + request_bytes(target="/mirror", method="POST", body=b"second"))
            self.wait_entered("first")
            self.command("reload")
            client.send(request_bytes(target="/mirror", method="POST", body=b"third"))
            self.open_gate("first")
            self.assertEqual(client.read_response().status, 200)
            self.assertEqual([client.read_response().text for _ in range(2)], ["second", "third"])

    def test_a_long_request_is_answered_by_the_old_worker_and_the_next_by_the_new(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 2}})
        old = serval.workers()[0]
        idle = self.start_clients(serval, 10)
        for other in idle:
            self.ask(other, "/pid")
        with serval.client() as client:
            client.send(request_bytes(target="/gate?name=long"))
            self.wait_entered("long")
            self.command("reload")
            self.assertNotIn(str(old), {self.ask(other, "/pid") for other in idle})
            self.assertEqual(self.epoll_ghosts(old), set())
            self.open_gate("long")
            response = client.read_response()
            self.assertEqual((response.status, response.closes), (200, False))
            self.assertNotEqual(int(self.ask(client, "/pid")), old)
            self.wait_for_successor(serval, [old])

    def test_requests_are_counted_on(self):
        serval = self.start("faulty", {"request": {"keep_alive_requests": 5}})
        with serval.client() as client:
            closes = []
            for _ in range(5):
                closes.append(client.get().closes)
                self.command("reload")
            self.assertEqual(closes, [False] * 4 + [True])
            self.assertTrue(client.ended())

    def test_an_idle_connection_ends_however_often_it_moves(self):
        serval = self.start("hello", {"request": {"keep_alive": "2s"}})
        with serval.client() as client:
            client.get()

            def closed_meanwhile():
                self.command("reload")
                return not client.still_open()

            wait_until(closed_meanwhile, "its keep-alive time to be over")

    def test_nobody_has_to_come_back(self):
        serval = self.start("hello", {"workers": {"count": 3, "threads": 2}})
        with Load(serval, clients=6) as load:
            for _ in range(20):
                load.wait_for(20)
                self.command("reload")
        self.assertEqual((load.failures, load.connections), ([], 6))

    def test_two_hundred_reloads_leave_no_descriptors_behind(self):
        serval = self.start("faulty", {"request": {"keep_alive": "1h"}})  # they take minutes
        client, = self.start_clients(serval, 1)

        def footprint():
            self.ask(client)
            workers = serval.workers()
            return len(workers), process_tree.fd_count(serval.pid), sum(process_tree.fd_count(pid) for pid in workers.values())

        for _ in range(3):
            self.command("reload")
        before = wait_until(lambda: (now := footprint())[0] == 2 and now, "two workers alone")
        for _ in range(200):
            self.command("reload")
        # No more of any: what the last of the first three reloads has left may still have been on its way out when it was counted.
        wait_until(lambda: all(now <= then for now, then in zip(footprint(), before)),
                   lambda: f"(workers, master's fds, workers' fds) to be no more than {before}, not {footprint()}: {process_tree.fd_targets(serval.pid)}")


class Others(Moving):
    """Reasons to leave other than a reload."""

    def test_recycle(self):
        serval = self.start("faulty")
        clients = self.start_clients(serval, 8)
        old = {self.ask(client, "/pid") for client in clients}
        self.command("recycle", "all")
        new = {self.ask(client, "/pid") for client in clients}
        self.assertFalse(old & new, "the command returns when nobody is answered by those who leave")

    def test_fewer_workers(self):
        serval = self.start("faulty", {"workers": {"count": 3, "threads": 2}})
        clients = [serval.client_at(pid) for pid in serval.workers().values() for _ in range(4)]
        for client in clients:
            self.addCleanup(client.close)
        self.command("scale", "-2")
        wait_until(lambda: len(serval.workers()) == 1, "one worker")
        self.assertEqual({self.ask(client, "/pid") for client in clients}, {str(pid) for pid in serval.workers().values()})

    def test_a_worker_that_has_answered_its_share(self):
        serval = self.start("hello", {"workers": {"count": 2, "threads": 2, "max_requests": 100}})
        with Load(serval, clients=4) as load:
            serval.expect_log(r"worker stopped .*cause=max_requests", count=5)
        self.assertEqual((load.failures, load.connections), ([], 4))

    def test_a_worker_that_gets_a_signal(self):
        serval = self.start("faulty", {"workers": {"count": 1, "threads": 1}}, app_args=["start=slow:500"])
        clients = self.start_clients(serval, 4)
        old = {int(self.ask(client, "/pid")) for client in clients}
        serval.signal(signal.SIGTERM, old.pop())
        serval.expect_log("draining why=signal")
        self.assertEqual({int(self.ask(client, "/pid")) for client in clients}, {serval.workers()[max(serval.workers())]})

    def test_who_waits_in_the_lobby_survives_the_death_of_workers(self):
        serval = self.start("faulty", {"workers": {"count": 1, "threads": 1}}, app_args=["start=slow:1000"])
        clients = self.start_clients(serval, 4)
        old = {int(self.ask(client, "/pid")) for client in clients}
        serval.signal(signal.SIGTERM, min(old))
        serval.expect_log(r"draining why=signal")
        for client in clients:
            client.send(request_bytes(target="/pid"))
        wait_until(lambda: len(serval.workers()) == 2 or not set(serval.workers().values()) & old, "its successor to boot")
        booting = set(serval.workers().values()) - old
        for pid in old | booting:
            process_tree.kill(pid, signal.SIGKILL)
        self.assertFalse({int(client.read_response().text) for client in clients} & (old | booting))

    def test_a_lobby_that_stays_full_is_given_up(self):
        """Nobody looks into it: what it does not take ends as in a stop, and what it has taken waits until somebody looks."""
        serval = self.start("faulty", {"workers": {"count": 2, "threads": 1, "heartbeat_timeout": "0"}})
        sleeper, worker = serval.workers()[0], serval.workers()[1]
        serval.signal(signal.SIGSTOP, sleeper)
        clients = self.start_clients(serval, 500)
        for client in clients:
            self.assertEqual(int(self.ask(client, "/pid")), worker)
        self.command("scale", "-1")
        serval.expect_log("no worker takes over connections")
        wait_until(lambda: set(serval.workers().values()) == {sleeper}, "the other one to end")
        waiting = [client for client in clients if client.still_open()]
        self.assertTrue(0 < len(waiting) < len(clients), len(waiting))
        serval.signal(signal.SIGCONT, sleeper)
        self.assertEqual({int(self.ask(client, "/pid")) for client in waiting}, {sleeper})

    def test_killing_anybody_loses_only_what_he_had(self):
        serval = self.start("hello", {"workers": {"count": 3, "threads": 2}, "restart": {"backoff_first": "1ms", "backoff_max": "1ms"}})
        with Load(serval, clients=6) as load:
            for turn in range(8):
                reload = self.launch("reload", "-c", self.path("serval0.toml"))
                wait_until(lambda: serval.log().count("reloading from_gen") > turn, "the reload to begin")
                victims = wait_until(lambda: list(serval.workers().values()), "somebody to kill")
                process_tree.kill(victims[turn % len(victims)])
                self.assertIn(reload.wait(), (0, 1))
                load_before = load.answers
                wait_until(lambda: load.answers > load_before + 20, "answers")
        self.assertLessEqual(len(load.failures), 8 * 6, load.failures)
        for failure in load.failures:
            self.assertRegex(failure, r"Closed|ConnectionResetError|BrokenPipe")


class Stop(Moving):
    def test_the_last_answer_says_that_it_is_the_last(self):
        serval = self.start_probe({"workers": {"count": 2, "threads": 2}})
        moved, = self.start_clients(serval, 1)
        self.ask(moved, "/pid")
        self.command("reload")
        moved.send(request_bytes(target="/gate?name=last"))
        self.wait_entered("last")
        serval.signal(signal.SIGTERM)
        serval.expect_log("stopping signal=SIGTERM|stopping signal=TERM")
        serval.expect_log("draining why=asked", count=4)
        self.open_gate("last")
        response = moved.read_response()
        self.assertEqual((response.status, response.closes), (200, True))
        self.assertTrue(moved.ended())
        self.assertEqual(serval.wait(), 0)

    def test_a_stop_in_a_drain_closes_what_would_have_moved(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 2}})
        busy, = self.start_clients(serval, 1)
        busy.send(request_bytes(target="/gate?name=busy"))
        self.wait_entered("busy")
        self.command("reload")
        serval.signal(signal.SIGTERM)
        serval.expect_log("stopping signal=")
        wait_until(lambda: len(serval.workers()) == 1, "only the old worker to be there")
        self.open_gate("busy")
        response = busy.read_response()
        self.assertEqual((response.status, response.closes), (200, True))
        self.assertEqual(serval.wait(), 0)

    def test_a_signal_to_everybody(self):
        """As systemd sends it (KillMode=control-group), with a master that is the last to look: the workers drain before they hear that it is a stop."""
        serval = self.start("hello", {"shutdown": {"grace": "10m"}, "request": {"keep_alive": "10m"}})
        clients = self.start_clients(serval, 30)
        for client in clients:
            self.assertEqual(client.get().status, 200)
        serval.signal(signal.SIGSTOP)
        for pid in serval.workers().values():
            serval.signal(signal.SIGTERM, pid)
        serval.expect_log("draining why=signal", count=2)
        for client in clients:
            client.send(request_bytes())
        serval.signal(signal.SIGTERM)
        serval.signal(signal.SIGCONT)
        for client in clients:
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual(serval.wait(), 0)

    def test_a_worker_that_hangs_does_not_hold_up_a_reload(self):
        serval = self.start("faulty")
        hung = serval.workers()[0]
        serval.signal(signal.SIGSTOP, hung)
        self.command("reload")
        serval.expect_log(rf"draining worker did not report that it stopped accepting; no longer waiting for it slot=0 worker_pid={hung} cause=reload")
        self.assertEqual(serval.get("/generation").text, "2\n")
        serval.signal(signal.SIGCONT, hung)


if __name__ == "__main__":
    unittest.main()
