"""More requests than a worker may queue: 503 with Retry-After at once, never a silent wait; what was accepted is served."""

import unittest

from http_client import request_bytes, wait_until
from serval_process import ServalTest


class Overload(ServalTest):
    def start_narrow(self, **workers):
        return self.start_probe({"workers": {"count": 1, "threads": 1, **workers}})

    def accepted(self, serval, count):
        """Connections that the worker has taken: each has had an answer."""
        clients = [serval.client() for _ in range(count)]
        for client in clients:
            self.addCleanup(client.close)
            self.assertEqual(client.get().status, 200)
        return clients

    def test_beyond_the_queue_there_is_503(self):
        serval = self.start_narrow(queue=2)
        running, *others = self.accepted(serval, 6)
        running.send(request_bytes(target="/gate?name=a"))
        self.wait_entered("a")
        for client in others:
            client.send(request_bytes())
        refused = []

        def look():
            for client in others:
                if client not in refused and not client.still_open():
                    refused.append(client)
            return len(refused) >= 3
        wait_until(look, "three refusals while two requests wait")
        for client in refused:
            response = client.read_response()
            self.assertEqual(response.status, 503)
            self.assertRegex(response.get("Retry-After"), r"^[1-9]\d*$")
        waiting = [client for client in others if client not in refused]
        self.assertEqual(len(waiting), 2)
        self.open_gate("a")
        for client in [running, *waiting]:
            self.assertEqual(client.read_response().status, 200)
        serval.expect_access(r'" 503 .*\boverload\b', count=3)

    def test_queue_timeout(self):
        serval = self.start_narrow(queue=10, queue_timeout="300ms")
        running, waiting = self.accepted(serval, 2)
        running.send(request_bytes(target="/gate?name=a"))
        self.wait_entered("a")
        waiting.send(request_bytes())
        response = waiting.read_response()
        self.assertEqual(response.status, 503)
        self.assertTrue(response.get("Retry-After"))
        self.open_gate("a")
        self.assertEqual(running.read_response().status, 200)

    def test_a_busy_worker_leaves_new_connections_to_its_idle_sibling(self):
        serval = self.start_probe({"workers": {"count": 2, "threads": 1}})
        with serval.client() as busy:
            busy.send(request_bytes(target="/gate?name=a"))
            self.wait_entered("a")
            for _ in range(20):
                self.assertEqual(serval.get().status, 200)
            self.open_gate("a")
            self.assertEqual(busy.read_response().status, 200)

    def test_one_blocked_thread_leaves_the_others_to_work(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 2}})
        with serval.client() as blocked:
            blocked.send(request_bytes(target="/gate?name=a"))
            self.wait_entered("a")
            with serval.client() as client:
                for _ in range(50):
                    self.assertEqual(client.get().status, 200)
            self.open_gate("a")
            self.assertEqual(blocked.read_response().status, 200)

    def test_all_threads_work_at_once(self):
        serval = self.start_probe({"workers": {"count": 1, "threads": 4}})
        clients = [serval.client() for _ in range(4)]
        for number, client in enumerate(clients):
            client.send(request_bytes(target=f"/gate?name={number}"))
        self.wait_entered("0", "1", "2", "3")
        self.open_gate("0", "1", "2", "3")
        for client in clients:
            self.assertEqual(client.read_response().status, 200)
            client.close()


if __name__ == "__main__":
    unittest.main()
