"""WAITING in status is the number of requests that wait for a thread now: none that a thread has taken since, and none that was held and let in."""

from http_client import request_bytes, wait_until
from orders import Orders


class Waiting(Orders):
    def counts(self):
        """(requests that run, requests that wait) of the one worker."""
        (worker,) = self.status()["workers"]
        return worker["running"], worker["waiting"]

    def start_one(self, threads):
        return self.start_probe({"workers": {"count": 1, "threads": threads}})

    def test_a_request_that_a_thread_of_the_pool_has_taken_waits_no_more(self):
        serval = self.start_one(2)
        with serval.client() as client:
            for _ in range(30):  # handlers that take their time are run by the pool before long
                client.send(request_bytes(target="/pid?spin_us=5000"))
                self.assertEqual(client.read_response().status, 200)
            client.send(request_bytes(target="/gate?name=long"))
            self.wait_entered("long")
            self.assertEqual(self.counts(), (1, 0))
            self.open_gate("long")
            self.assertEqual(client.read_response().status, 200)
        self.assertEqual(self.counts(), (0, 0))

    def test_those_that_wait_are_counted(self):
        serval = self.start_one(1)
        clients = [serval.client() for _ in range(3)]
        for number, client in enumerate(clients):
            client.send(request_bytes(target=f"/gate?name={number}"))
        wait_until(lambda: self.counts() == (1, 2), lambda: f"one that runs and two that wait, not {self.counts()}")
        self.open_gate("0", "1", "2")
        for client in clients:
            self.assertEqual(client.read_response().status, 200)
            client.close()
        self.assertEqual(self.counts(), (0, 0))

    def test_what_a_pause_has_held_waits_until_it_is_let_in(self):
        serval = self.start_one(2)
        with serval.client() as client:
            self.assertEqual(client.get().status, 200)
            self.order("pause")
            client.send(request_bytes(target="/gate?name=held"))
            wait_until(lambda: self.counts() == (0, 1), lambda: f"the held one, not {self.counts()}")
            self.order("resume")
            self.wait_entered("held")
            self.assertEqual(self.counts(), (1, 0))
            self.open_gate("held")
            self.assertEqual(client.read_response().status, 200)
