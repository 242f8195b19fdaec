"""No request waits for a thread of its worker while another worker has one free: it moves there, and its connection with it."""

import json
import unittest

from http_client import request_bytes, wait_until
from load import Load
from serval_process import ServalTest


class Balance(ServalTest):
    def start_two(self, **options):
        """Two workers with one thread each."""
        return self.start_probe({"workers": {"count": 2, "threads": 1, **options}})

    def connections_of_both(self, serval):
        """By pid: five kept connections for each worker."""
        found = {pid: [serval.client_at(pid) for _ in range(5)] for pid in serval.workers().values()}
        for client in sum(found.values(), []):
            self.addCleanup(client.close)
        return found

    def pin(self, client, gate="pin"):
        client.send(request_bytes(target=f"/gate?name={gate}"))
        self.wait_entered(gate)

    def workers(self):
        return json.loads(self.run_command("status", "--json", "-c", self.path("serval0.toml"))[1])["workers"]

    def test_a_request_on_a_connection_of_a_pinned_worker(self):
        serval = self.start_two()
        (first, clients), (second, _) = self.connections_of_both(serval).items()
        pinning, *others = clients[:4]
        self.pin(pinning)
        for client in others:
            self.assertEqual(client.get("/pid").text, str(second))
            self.assertEqual(client.get("/pid").text, str(second), "the connection stays where it has moved to")
        self.open_gate("pin")
        self.assertEqual(pinning.read_response().status, 200)
        self.assertEqual(pinning.get("/pid").text, str(first))

    def test_a_body_and_what_follows_it_move_with_it(self):
        serval = self.start_two()
        pinning, *clients, large = next(iter(self.connections_of_both(serval).values()))[:5]
        self.pin(pinning)
        for size, client in zip((0, 1000, 20_000), clients):  # in the buffer of the head, and beyond it
            body = (bytes(range(256)) * 100)[:size]
            client.send(request_bytes(target="/mirror", method="POST", body=body) + request_bytes(target="/mirror", method="POST", body=b"next"))
            self.assertEqual(client.read_response().body, body)
            self.assertEqual(client.read_response().body, b"next")
        large.send(request_bytes(target="/mirror", method="POST", body=b"x" * 100_000))  # stays where it is
        self.open_gate("pin")
        self.assertEqual(pinning.read_response().status, 200)
        self.assertEqual(large.read_response().body, b"x" * 100_000)

    def test_one_that_takes_long_where_it_arrives_keeps_nobody_out(self):
        serval = self.start_two()
        (_, clients), (second, _) = self.connections_of_both(serval).items()
        pinning, long, *others = clients[:4]
        self.pin(pinning)
        self.pin(long, "long")
        self.open_gate("long")
        self.assertEqual(long.read_response().status, 200)
        for client in others:
            self.assertEqual(client.get("/pid").text, str(second))
        self.open_gate("pin")
        self.assertEqual(pinning.read_response().status, 200)

    def test_with_all_threads_busy_requests_wait(self):
        serval = self.start_two()
        both = list(self.connections_of_both(serval).values())
        for gate, clients in zip("ab", both):
            self.pin(clients[0], gate)
        waiting = [client for clients in both for client in clients[1:3]]
        for client in waiting:
            client.send(request_bytes(target="/pid"))
        self.open_gate("a")  # all go where there is a thread now
        only = {int(client.read_response().text) for client in waiting}
        self.assertEqual(len(only), 1)
        self.open_gate("b")
        for clients in both:
            self.assertEqual(clients[0].read_response().status, 200)

    def test_sleeping_handlers_use_the_threads_of_all(self):
        """Connections that all belong to one worker at first."""
        serval = self.start("faulty", {"workers": {"count": 1, "threads": 2}})
        with Load(serval, clients=12, target="/sleep?ms=20") as load:
            load.wait_for(12)
            code, _, err = self.run_command("scale", "+2", "-c", self.path("serval0.toml"))
            self.assertEqual(code, 0, err)
            wait_until(lambda: all(worker["requests"] > 20 for worker in self.workers()), "all three to work")
            self.assertEqual(load.failures, [])
        self.assertEqual(load.connections, 12)


class Alone(ServalTest):
    def test_an_answer_that_comes_late_needs_nothing_else_to_happen(self):
        """Its thread has lost the loop, and whoever has it sleeps: no heartbeat, no deadline, no other client wakes it."""
        serval = self.start_probe({"workers": {"count": 1, "threads": 2, "heartbeat_timeout": "0"}, "request": {"timeout": "0"}})
        with serval.client() as client:
            for gate in "abc":
                client.send(request_bytes(target=f"/gate?name={gate}"))
                self.wait_entered(gate)
                self.open_gate(gate)
                self.assertEqual(client.read_response().status, 200)


if __name__ == "__main__":
    unittest.main()
